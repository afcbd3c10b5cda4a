"""Which packages are missing."""

from __future__ import annotations

from pybernetes.cluster.system_packages import packages_for

ALL = {"containerd", "ctr", "containerd-shim-runc-v2", "runc", "iptables", "iptables-restore", "conntrack", "ip"}
PLUGINS = ("bridge", "host-local", "portmap", "loopback")


def test_only_what_is_missing_is_installed() -> None:
    everything = ALL | {"nsenter", "setpriv", "busybox"}
    assert packages_for(everything, PLUGINS) == []
    assert packages_for(everything - {"runc"}, ()) == ["containernetworking-plugins", "runc"]
    assert packages_for(everything - {"busybox"}, PLUGINS) == ["busybox-static"]
