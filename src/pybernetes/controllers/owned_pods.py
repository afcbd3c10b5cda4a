"""What a change of a pod means to the controller that made it: an expectation met, and an owner to be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.api.types.core_v1 import Pod
from pybernetes.controllers.ownership import controller_of
from pybernetes.reconcile import Expectations


def observe_owned(expectations: Expectations, kind: str, old: Pod | None, new: Pod | None) -> Iterator[str]:
    """The keys of the owners of this kind, before and after the change; their expectations hear of it."""
    for side in (old, new):
        owner = controller_of(side) if side is not None else None
        if side is None or owner is None or owner.kind != kind:
            continue
        key = f"{side.metadata.namespace}/{owner.name}"
        if old is None:
            expectations.creation_observed(key)
        if new is None or new.metadata.deletion_timestamp is not None:
            expectations.deletion_observed(key, side.metadata.uid or "")
        yield key
