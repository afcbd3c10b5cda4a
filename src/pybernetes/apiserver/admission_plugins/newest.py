"""Which of several objects that claim to be the default one is taken: the newest, then the first by name."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.objects import Object


def newest(objects: Sequence[Object]) -> Object | None:
    """The object created last; None when there is none."""
    by_name = sorted(objects, key=lambda obj: obj.metadata.name or "")
    # `max` keeps the first of equal ones. Times are RFC 3339 in UTC, so that text order is time order.
    return max(by_name, key=lambda obj: obj.metadata.creation_timestamp or "", default=None)
