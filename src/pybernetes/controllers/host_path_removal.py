"""Deletes what a hostPath volume held, on the machine of the controller manager. The composition root hands it in.

As upstream, only folders below /tmp are ever touched.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath


def refusal(path: str) -> str:
    """Why a path must not be deleted; empty when it may."""
    parts = PurePosixPath(path).parts
    if len(parts) > 2 and parts[:2] == ("/", "tmp") and ".." not in parts:
        return ""
    return f"host_path deleter only supports /tmp/.+ but received provided {path}"


def remove_host_path(path: str) -> None:
    """Removes a folder with all it holds, or a file; OSError when it cannot."""
    place = Path(path)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
