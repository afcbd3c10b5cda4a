"""Files of one volume that stand in each other's way: two of one path, or one below another. Warnings about volumes.

Mounting works, but of two files of one path the later wins, and what is below a file has no place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pybernetes.api.types.core_v1 import DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection

_NOTHING = VolumeProjection()


class _File(NamedTuple):
    path: str
    source: str = ""

    def __str__(self) -> str:
        return f'"{self.path}" ({self.source})' if self.source else f'"{self.path}"'


def overlaps(volume: Volume) -> Iterator[str]:
    """What is said of a volume's files, two by two, and of sources that have none."""
    if volume.projected is not None:
        yield from _overlaps_projected(volume.name, volume.projected.sources)
    elif volume.config_map is not None and volume.config_map.items:
        yield from _overlaps_items(volume.name, f'ConfigMap "{volume.config_map.name or ""}"', volume.config_map.items)
    elif volume.secret is not None and volume.secret.items:
        yield from _overlaps_items(volume.name, f'Secret "{volume.secret.secret_name or ""}"', volume.secret.items)
    elif volume.downward_api is not None and volume.downward_api.items:
        yield from _overlaps_items(volume.name, "DownwardAPI", volume.downward_api.items)


def _overlaps_items(volume: str, what: str, items: Iterable[KeyToPath | DownwardAPIVolumeFile]) -> Iterator[str]:
    before: list[_File] = []
    for item in items:
        yield from _compared(_File(item.path.rstrip("/")), before, f'volume "{volume}" ({what})')


def _overlaps_projected(volume: str, sources: Iterable[VolumeProjection]) -> Iterator[str]:
    before: list[_File] = []
    for source in sources:
        if source == _NOTHING:
            yield f'volume "{volume}" (Projected) has no sources provided'
        for file in _files(source):
            yield from _compared(file, before, f'volume "{volume}" (Projected)')


def _compared(file: _File, before: list[_File], place: str) -> Iterator[str]:
    """Compares a file with those before it, and puts it to them."""
    for other in before:
        mine, its = f"{file.path}/", f"{other.path}/"
        if file.path and other.path and (mine.startswith(its) or its.startswith(mine)):
            yield f"{place}: overlapping paths: {file} with {other}"
    before.append(file)


def _files(source: VolumeProjection) -> list[_File]:
    """The files of a source of a projected volume, by the first of its sorts that names any."""
    items: Iterable[KeyToPath | DownwardAPIVolumeFile]
    if source.config_map is not None and source.config_map.items:
        what, items = f'ConfigMap "{source.config_map.name or ""}"', source.config_map.items
    elif source.secret is not None and source.secret.items:
        what, items = f'Secret "{source.secret.name or ""}"', source.secret.items
    elif source.downward_api is not None and source.downward_api.items:
        what, items = "DownwardAPI", source.downward_api.items
    elif source.service_account_token is not None:
        return [_File(source.service_account_token.path.rstrip("/"), "ServiceAccountToken")]
    else:
        return []
    return [_File(item.path.rstrip("/"), what) for item in items]
