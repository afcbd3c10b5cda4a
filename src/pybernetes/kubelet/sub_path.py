"""A part of a volume (`subPath`) as a place of its own, which nobody can exchange between the look and the mount.

A container that writes to the volume may put a symbolic link where a directory was. So the way is walked by descriptors
that follow no link, and what they found, not its name, is mounted where only the kubelet writes.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pybernetes.kubelet.decide.environment import Unresolvable
from pybernetes.kubelet.mounting import bind, mount_points_below, unmount

_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def mount_below(volume: Path, sub_path: str, place: Path) -> Path:
    """Mounts what lies below a volume, made as a directory when it is not there, at `place`, which is returned.

    `Unresolvable` when it would lead out of the volume; OSError as the kernel says.
    """
    found = _open(volume, sub_path)
    try:
        _clear(place)
        if stat.S_ISDIR(os.fstat(found).st_mode):
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        bind(found, place)
    finally:
        os.close(found)
    return place


def _clear(place: Path) -> None:
    """Takes away what a container before this one had there."""
    while place in mount_points_below(place.parent):
        unmount(place)
    if place.is_dir():
        place.rmdir()
    place.unlink(missing_ok=True)


def _open(volume: Path, sub_path: str) -> int:
    """A descriptor of what lies there. Links are resolved before the walk, and must lead to a place of the volume."""
    parts = Path(sub_path).parts
    if Path(sub_path).is_absolute() or ".." in parts:
        raise Unresolvable(f"subPath {sub_path!r} must stay within the volume")
    root = volume.resolve()
    target = (root / sub_path).resolve()
    if not target.is_relative_to(root):
        raise Unresolvable(f"subPath {sub_path!r} is not within volume path {volume}")
    return walk(root, target.relative_to(root).parts)


def walk(root: Path, parts: tuple[str, ...]) -> int:
    """A descriptor of what lies below `root` by these names, none of which is a link; missing directories are made."""
    mode = stat.S_IMODE(root.stat().st_mode)
    current = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            inner = _step(current, part, mode)
            os.close(current)
            current = inner
            if stat.S_ISLNK(os.fstat(current).st_mode):
                raise Unresolvable(f"subPath leads through the symbolic link {part!r}")
    except BaseException:
        os.close(current)
        raise
    return current


def _step(directory: int, name: str, mode: int) -> int:
    try:
        return os.open(name, _PLACE, dir_fd=directory)
    except FileNotFoundError:
        os.mkdir(name, 0o700, dir_fd=directory)
    # Like the volume itself, so that whoever may write there may write here.
    made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    os.fchmod(made, mode)
    return made
