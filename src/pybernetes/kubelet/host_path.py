"""The volumes that are a place of the node: hostPath with its types. `Volumes` calls it."""

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
