"""Owners that an object names more than once: told to the client, and dropped.

Flow: the metadata of an object that a client wrote goes in; it comes out with every owner once, and a text goes to
`warn`. Called by `commands` for every write, before anybody asks who owns which field.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import astuple

from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.resources.validation.lists import repeated

_WARNING = (
    ".metadata.ownerReferences contains duplicate entries{}; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}"
)
_PATCHED = " after mutating admission happens"


def drop_repeated(metadata: ObjectMeta, warn: Callable[[str], None], *, patched: bool = False) -> None:
    """Keeps the first of the entries that are the same in all fields; those of a patch are told of in other words."""
    owners = metadata.owner_references
    if len(owners) < 2:
        return
    again = repeated(map(astuple, owners))
    if again:
        metadata.owner_references = [owner for index, owner in enumerate(owners) if index not in again]
        warn(_WARNING.format(_PATCHED if patched else "", ", ".join(owners[index].uid for index in sorted(again))))
