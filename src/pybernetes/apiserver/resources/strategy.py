"""What is particular to one kind on its way through the pipeline: functions of values, no I/O.

The pipeline treats all kinds alike; where kinds differ, it asks the kind's strategy. `obj` and `new` are private to the
request and changed in place; `old` is the stored object, shared, and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pybernetes.api.status import FieldError


def _nothing(*_objects: Any) -> None:
    return None


def _no_stamp(_new: Any, _old: Any, _asker: Asker, _now: str) -> None:
    return None


def _no_errors(*_objects: Any) -> list[FieldError]:
    return []


def _no_warnings(*_objects: Any) -> list[str]:
    return []


def _no_fields(_obj: Any) -> Mapping[str, str]:
    return {}


class Asker(Protocol):
    """Who asks for a write."""

    @property
    def name(self) -> str: ...

    @property
    def uid(self) -> str: ...

    @property
    def groups(self) -> tuple[str, ...]: ...

    @property
    def extra(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass(frozen=True)
class Strategy:
    """The particulars of a kind; every member has a default that suits a kind with none."""

    # Fills in what the client left out; runs on decoded input and on the result of a patch.
    default: Callable[[Any], None] = _nothing
    # Sets what the server owns on create (status emptied, generation 1 where the kind has one); name, namespace, uid
    # and creationTimestamp are filled before. May give texts for `Warning` headers: of what cannot be seen afterwards.
    prepare_create: Callable[[Any], list[str] | None] = _nothing
    # (new, old): keeps what an update of the main resource may not change, and raises the generation on spec changes.
    prepare_update: Callable[[Any, Any], None] = _nothing
    # (new, old): for the status sub-resource: takes everything but the status from old.
    prepare_status: Callable[[Any, Any], None] = _nothing
    # (new, old or None, who asks, the time as objects show it): writes down what only the server knows.
    stamp: Callable[[Any, Any, Asker, str], None] = _no_stamp
    validate_create: Callable[[Any], list[FieldError]] = _no_errors
    validate_update: Callable[[Any, Any], list[FieldError]] = _no_errors
    validate_status: Callable[[Any, Any], list[FieldError]] = _no_errors
    # Texts for `Warning` headers, (new, old or None).
    warnings: Callable[[Any, Any], list[str]] = _no_warnings
    # Selectable fields besides metadata.name and metadata.namespace, such as `spec.nodeName`; values are text.
    fields: Callable[[Any], Mapping[str, str]] = _no_fields
    # Names of the selectable fields, for refusing unknown ones.
    field_names: frozenset[str] = frozenset()
    # PUT to a missing name creates it (Lease, Endpoints, Service, ClusterRole, LimitRange ...).
    creates_on_update: bool = False
    # PUT without a resourceVersion is accepted.
    unconditional_update: bool = True
    # Whether nothing comes of such a name but the name itself, so that objects which are given as the same but for such
    # names are stored as the same but for them (see `moulds`). None for kinds of which few alike are made.
    repeats: Callable[[str], bool] | None = None
    # DELETE answers the deleted object instead of a Status.
    returns_deleted: bool = False
    # A DELETE that says nothing of dependents leaves them behind, as it did when these kinds were young.
    orphans: bool = False
    # The text for the `Warning` header of such a DELETE.
    orphan_warning: str = ""
    # False for what never owns anything: propagation policies mean nothing to it.
    has_dependents: bool = True
