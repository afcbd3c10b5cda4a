"""What this machine is and how it is doing, read from /proc and friends. The node keeper calls it as a function."""

from __future__ import annotations

import os
from pathlib import Path

from pybernetes.kubelet.decide.node import Machine, Pressure

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
# Upstream's hard eviction thresholds.
LEAST_MEMORY = 100 << 20
LEAST_DISK_SHARE = 0.10
# Pid pressure has no threshold upstream unless one is set; a handful of free pids is an emergency anywhere.
LEAST_PIDS = 100


class LinuxMachine:
    """Reads the machine on which it runs; `root_dir` is on the filesystem whose size counts."""

    def __init__(self, root_dir: Path) -> None:
        self._root = root_dir
        self._machine = self._read()

    def __call__(self) -> tuple[Machine, Pressure]:
        """The machine (read once) and its present pressure."""
        disk = os.statvfs(self._root)
        short_of_disk = disk.f_blocks > 0 and disk.f_bavail / disk.f_blocks < LEAST_DISK_SHARE
        memory = _meminfo("MemAvailable")
        return self._machine, Pressure(0 < memory < LEAST_MEMORY, short_of_disk, self._short_of_pids())

    def _read(self) -> Machine:
        system = os.uname()
        disk = os.statvfs(self._root)
        machine_id = _text("/etc/machine-id")
        return Machine(
            cpus=os.cpu_count() or 1,
            memory=_meminfo("MemTotal"),
            storage=disk.f_blocks * disk.f_frsize,
            kernel=system.release,
            os_image=_os_name(),
            architecture=_ARCHITECTURES.get(system.machine, system.machine),
            machine_id=machine_id,
            system_uuid=_text("/sys/class/dmi/id/product_uuid") or machine_id,
            boot_id=_text("/proc/sys/kernel/random/boot_id"),
        )

    def _short_of_pids(self) -> bool:
        limit = _text("/proc/sys/kernel/pid_max")
        load = _text("/proc/loadavg").split()
        if not limit.isdecimal() or len(load) < 4:
            return False
        return int(limit) - int(load[3].split("/")[1]) < LEAST_PIDS


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _meminfo(name: str) -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _os_name() -> str:
    for line in _text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"
