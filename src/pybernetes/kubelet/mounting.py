"""The few mounts that the kubelet makes itself: tmpfs for volumes in memory. Raises OSError as the kernel says."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_MNT_DETACH = 2
_NOSUID, _NODEV = 2, 4


def mount_tmpfs(place: Path, size: int) -> None:
    """Mounts memory of at most `size` bytes (0: no limit but the machine's)."""
    options = f"size={size}" if size else ""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", _NOSUID | _NODEV, options.encode())
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


def unmount(place: Path) -> None:
    """Takes a mount away, even while it is in use."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(place), _MNT_DETACH) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))


def is_mounted(place: Path) -> bool:
    return os.path.ismount(place)
