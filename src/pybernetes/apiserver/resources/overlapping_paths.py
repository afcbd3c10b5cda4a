"""Files of one volume that stand in each other's way: two of one path, or one below another. Warnings about volumes.

Mounting works, but of two files of one path the later wins, and what is below a file has no place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pybernetes.api.types.core_v1 import DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection

_NOTHING = VolumeProjection()
# Warnings are cut off long before so many.
_TOLD_MAX = 100


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
    files = [_File(item.path.rstrip("/")) for item in items]
    for later, earlier in _pairs(files):
        yield f'volume "{volume}" ({what}): overlapping paths: {files[later]} with {files[earlier]}'


def _overlaps_projected(volume: str, sources: Sequence[VolumeProjection]) -> Iterator[str]:
    place = f'volume "{volume}" (Projected)'
    owned = [(number, file) for number, source in enumerate(sources) for file in _files(source)]
    told: dict[int, list[str]] = {}
    for later, earlier in _pairs([file for _number, file in owned]):
        number, file = owned[later]
        told.setdefault(number, []).append(f"{place}: overlapping paths: {file} with {owned[earlier][1]}")
    for number, source in enumerate(sources):
        if source == _NOTHING:
            yield f"{place} has no sources provided"
        yield from told.get(number, ())


def _pairs(files: Sequence[_File]) -> list[tuple[int, int]]:
    """Which files are in the way of which earlier ones, in order; no more than anybody reads."""
    found: list[tuple[int, int]] = []
    # In the order of their paths, what is below a file follows it at once.
    above: list[tuple[str, int]] = []
    for path, number in sorted((f"{file.path}/", number) for number, file in enumerate(files) if file.path):
        while above and not path.startswith(above[-1][0]):
            above.pop()
        found += [(max(number, other), min(number, other)) for _path, other in above[: _TOLD_MAX - len(found)]]
        if len(found) == _TOLD_MAX:
            break
        above.append((path, number))
    return sorted(found)


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
