"""The few mounts that the kubelet makes itself: tmpfs for volumes in memory. Raises OSError as the kernel says."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_MNT_DETACH = 2
_NOSUID, _NODEV = 2, 4
_IN_MEMORY = {0x01021994, 0x858458F6}  # tmpfs, ramfs


def mount_tmpfs(place: Path, size: int, mode: int = 0o1777) -> None:
    """Mounts memory of at most `size` bytes (0: no limit but the machine's)."""
    options = f"mode={mode:o}" + (f",size={size}" if size else "")
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", _NOSUID | _NODEV, options.encode())
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


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
