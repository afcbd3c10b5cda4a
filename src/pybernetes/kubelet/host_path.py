"""The volumes that are a place of the node: hostPath with its types, and paths below a volume. `Volumes` calls it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from pybernetes.api.types.core_v1 import HostPathVolumeSource
from pybernetes.kubelet.decide.environment import Unresolvable

_CHECKS: dict[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "FileOrCreate": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


def host_path(source: HostPathVolumeSource) -> Path:
    """The path, made where the type says so; `Unresolvable` when it is not what the type says."""
    path = Path(source.path)
    if not source.type:
        return path
    if source.type == "DirectoryOrCreate" and not path.exists():
        path.mkdir(mode=0o755, parents=True)
    if source.type == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    check, words = _CHECKS[source.type]
    if not path.exists() or not check(os.stat(path).st_mode):
        raise Unresolvable(f"hostPath type check failed: {path} is not {words}")
    return path


def below(volume: Path, sub_path: str) -> Path:
    """A path below a volume, made as a directory when it is not there; it may not lead out of the volume."""
    parts = Path(sub_path).parts
    if Path(sub_path).is_absolute() or ".." in parts:
        raise Unresolvable(f"subPath {sub_path!r} must stay within the volume")
    root = volume.resolve()
    place = (root / sub_path).resolve()
    if place != root and root not in place.parents:
        raise Unresolvable(f"subPath {sub_path!r} is not within volume path {volume}")
    if not place.exists():
        place.mkdir(mode=0o750, parents=True)
        place.chmod(0o777 & ~0o027 | 0o050)
    return place
