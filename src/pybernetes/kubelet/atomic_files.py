"""Writes a volume's files so that a reader sees either all old or all new ones: a dated directory behind `..data`.

`Volumes` calls it. Readers go through symbolic links: `name -> ..data/name`, `..data -> ..2026_01_02_...`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pybernetes.kubelet.decide.payload import File

DATA = "..data"


def write_files(directory: Path, files: Mapping[str, File], stamp: str, group: int | None = None) -> bool:
    """Makes the directory hold exactly these files; True when anything changed. `stamp` names this generation.

    ValueError, before anything is written, for a path that leads elsewhere, whoever has let it through.
    """
    for path in files:
        _require_inside(path)
    data = directory / DATA
    if data.is_symlink() and read_files(data) == {path: file.content for path, file in files.items()}:
        return False
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755 if group is None else 0o2775)
    fresh = _new_directory(directory, stamp)
    for path, file in files.items():
        _write(fresh, path, file, group)
    old = os.readlink(data) if data.is_symlink() else ""
    _replace_link(directory, DATA, fresh.name)
    tops = {path.split("/", 1)[0] for path in files}
    for top in tops:
        link = directory / top
        if not link.is_symlink():
            link.symlink_to(f"{DATA}/{top}")
    for entry in directory.iterdir():
        if not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink()
    if old:
        shutil.rmtree(directory / old, ignore_errors=True)
    return True


def _require_inside(path: str) -> None:
    parts = path.split("/")
    # What begins with two dots at the top is this module's own.
    if not path or path.startswith("/") or ".." in parts or parts[0].startswith("..") or "\0" in path:
        raise ValueError(f"invalid path {path!r} in a volume")


def read_files(root: Path) -> dict[str, bytes]:
    """Relative path -> content of every file below a directory."""
    real = root.resolve()
    if not real.is_dir():
        return {}
    return {str(path.relative_to(real)): path.read_bytes() for path in real.rglob("*") if path.is_file()}


def _new_directory(directory: Path, stamp: str) -> Path:
    number = 0
    while True:
        fresh = directory / f"..{stamp}.{number}"
        try:
            fresh.mkdir(mode=0o755)
        except FileExistsError:
            number += 1
            continue
        fresh.chmod(0o755)
        return fresh


def _write(root: Path, path: str, file: File, group: int | None) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    # Nobody reads it between its making and the mode that it shall have.
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(file.content)
    if file.owner is not None:
        os.chown(target, file.owner, -1)
    if group is not None:
        os.chown(target, -1, group)
        # A group that owns the volume may read whatever its owner may.
        target.chmod(file.mode | (0o040 if file.mode & 0o400 else 0))
    else:
        target.chmod(file.mode)


def _replace_link(directory: Path, name: str, target: str) -> None:
    temporary = directory / f"{name}_tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(directory / name)
