"""The server's share of an object, as most kinds have it: first an empty status, then a count of the spec's changes.

Strategies are composed of these functions. `new` is private to the request; `old` is shared and only read; before
`prepare_create` the pipeline has filled name, namespace, uid and creationTimestamp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PrepareUpdate = Callable[[Any, Any], None]


def clear_status(obj: Any) -> None:
    """A client does not choose the status of what it creates."""
    obj.status = type(obj.status)()


def first_generation(obj: Any) -> None:
    obj.metadata.generation = 1


def clear_status_and_count(obj: Any) -> None:
    obj.status = type(obj.status)()
    obj.metadata.generation = 1


def keep_generation(new: Any, old: Any) -> None:
    """The generation is the server's: what the client sent does not matter."""
    new.metadata.generation = old.metadata.generation


def keep_status(new: Any, old: Any) -> None:
    new.status = old.status
    new.metadata.generation = old.metadata.generation


def count_spec_changes(new: Any, old: Any) -> None:
    """For kinds with a generation and no status."""
    new.metadata.generation = next_generation(old, changed=new.spec != old.spec)


def keep_status_and_count(new: Any, old: Any) -> None:
    """For kinds with both: the status stays, a change of the spec raises the generation."""
    new.status = old.status
    new.metadata.generation = next_generation(old, changed=new.spec != old.spec)


def drop_unused(new: Any, old: Any | None, *attributes: str) -> None:
    """Fields of features that are off stay only where the stored part has them already."""
    for name in attributes:
        if old is None or getattr(old, name) is None:
            setattr(new, name, None)


def count_any_change_of(*attributes: str) -> PrepareUpdate:
    """For kinds without a spec: a change of any of these attributes raises the generation."""

    def prepare(new: Any, old: Any) -> None:
        changed = any(getattr(new, name) != getattr(old, name) for name in attributes)
        new.metadata.generation = next_generation(old, changed=changed)

    return prepare


def next_generation(old: Any, *, changed: bool) -> int | None:
    """The generation after an update; None stays None for kinds that count nothing."""
    generation: int | None = old.metadata.generation
    return (generation or 0) + 1 if changed else generation


def only_status(new: Any, old: Any) -> None:
    """A write of the status sub-resource leaves the spec alone; metadata may change with it."""
    new.spec = old.spec
    new.metadata.generation = old.metadata.generation


def only_status_and_its_metadata(new: Any, old: Any) -> None:
    """As `only_status`, for the kinds whose status writes change no metadata either."""
    only_status(new, old)
    for name in ("labels", "annotations", "finalizers", "owner_references"):
        setattr(new.metadata, name, getattr(old.metadata, name))
