"""The few mounts that the kubelet makes itself: tmpfs for volumes in memory. Raises OSError as the kernel says."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

_MNT_DETACH = 2
_NOSUID, _NODEV, _BIND = 2, 4, 4096
_IN_MEMORY = {0x01021994, 0x858458F6}  # tmpfs, ramfs


def mount_tmpfs(place: Path, size: int, mode: int = 0o1777) -> None:
    """Mounts memory of at most `size` bytes (0: no limit but the machine's)."""
    options = f"mode={mode:o}" + (f",size={size}" if size else "")
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", _NOSUID | _NODEV, options.encode())
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


def bind(descriptor: int, place: Path) -> None:
    """Mounts what an open descriptor refers to, whatever its name is by now."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"/proc/self/fd/%d" % descriptor, os.fsencode(place), None, _BIND, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


def mount_points_below(folder: Path) -> list[Path]:
    """What is mounted in a folder, the deepest first."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    points = [Path(os.fsdecode(_ESCAPED.sub(_unescaped, line.split()[4]))) for line in lines]
    resolved = folder.resolve()
    return sorted((point for point in points if resolved in point.parents), key=lambda point: -len(point.parts))


_ESCAPED = re.compile(rb"\\([0-7]{3})")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8)])


def unmount(place: Path) -> None:
    """Takes a mount away, even while it is in use."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(place), _MNT_DETACH) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


def is_in_memory(place: Path) -> bool:
    """Whether what is written there never reaches a disk (but for swap)."""
    libc = ctypes.CDLL(None, use_errno=True)
    # The first word of the kernel's answer is the kind of file system; the whole is shorter than this.
    answer = (ctypes.c_long * 64)()
    if libc.statfs(os.fsencode(place), ctypes.byref(answer)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))
    return answer[0] in _IN_MEMORY


def is_mounted(place: Path) -> bool:
    return os.path.ismount(place)
