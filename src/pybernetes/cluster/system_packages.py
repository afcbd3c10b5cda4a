"""Which Debian packages a local cluster needs and this host lacks, and installing them.

`missing_packages` looks for the programs, not for dpkg's records, so that a host that got them otherwise is fine.
Called by `local` and by the launcher.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterable

from pybernetes.cluster.layout import CNI_BINARIES
from pybernetes.cluster.state import ClusterError
from pybernetes.environment.process import CommandFailed, run

_PROGRAMS = {
    "containerd": ("containerd", "ctr", "containerd-shim-runc-v2"),
    "runc": ("runc",),
    "iptables": ("iptables", "iptables-restore"),
    "conntrack": ("conntrack",),
    "iproute2": ("ip",),
    "util-linux": ("nsenter", "setpriv"),
    "busybox-static": ("busybox",),
}
_CNI_PLUGINS = ("bridge", "host-local", "portmap", "loopback")
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing_packages() -> list[str]:
    """The packages whose programs are not here."""
    return packages_for(
        {program for programs in _PROGRAMS.values() for program in programs if _finds(program)},
        {plugin for plugin in _CNI_PLUGINS if (CNI_BINARIES / plugin).exists()},
    )


def packages_for(programs: set[str], plugins: Iterable[str]) -> list[str]:
    """Given the programs and CNI plug-ins that are there: the packages still to be installed."""
    missing = [package for package, needed in _PROGRAMS.items() if not set(needed) <= programs]
    if not set(_CNI_PLUGINS) <= set(plugins):
        missing.append("containernetworking-plugins")
    return sorted(missing)


async def install_packages(say: Callable[[str], None]) -> None:
    """Installs what is missing. Raises ClusterError saying what to run when not root, or what apt-get complained of."""
    missing = missing_packages()
    if not missing:
        return
    if os.geteuid() != 0:
        raise ClusterError(f"this host lacks {', '.join(missing)}; run: sudo apt-get install {' '.join(missing)}")
    if shutil.which("apt-get") is None:
        raise ClusterError(f"this host lacks what Debian's packages {', '.join(missing)} contain; install them")
    say(f"installing {', '.join(missing)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        await run(["apt-get", "-q", "update"], env=quiet)
        await run(["apt-get", "-q", "-y", "install", "--no-install-recommends", *missing], env=quiet)
    except CommandFailed as error:
        raise ClusterError(f"cannot install {', '.join(missing)}: {error}") from error


def no_root_message(sudo: bool) -> str:
    """What to tell a user who is not root."""
    how = "run it with sudo" if sudo else "run it as root"
    return f"a local cluster needs root, for network namespaces and containers: {how}"


def _finds(program: str) -> bool:
    return shutil.which(program) is not None or shutil.which(program, path=_SEARCHED) is not None


if __name__ == "__main__":
    asyncio.run(install_packages(print))
