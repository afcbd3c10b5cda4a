"""What is to be written, as values: who wants it (`Intent`), and which part of an object it is about (`Aspect`).

Handlers make them and hand them to `writer`; `admission_request` is what admission is shown of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.bodies import WriteOptions
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Tracker
from pybernetes.apiserver.request import UserInfo


@dataclass(frozen=True, slots=True)
class Intent:
    """Who wants to write what; `warnings` collects texts for the client while the write is under way."""

    kind: Kind  # as it is stored
    user: UserInfo
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    dry_run: bool = False
    # What admission sees as the options of the request, as the resource that was named, and as the object's kind where
    # the sub-resource has its own; see `AdmissionRequest`.
    options: WriteOptions | DeleteOptions | None = None
    requested: Kind | None = None
    part: Kind | None = None
    # What is left to do for a request that has passed admission as another one, such as the deletion in an eviction.
    is_admitted: bool = False
    # The client named the revision it has seen: a lost race is its conflict to resolve.
    pinned: bool = False
    warnings: list[str] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    # Says who owns which field afterwards; None for writes of the server itself, which leave managedFields alone.
    tracker: Tracker | None = None
    # As the client asked for it: update and patch are two rights.
    verb: str = "update"


@dataclass(frozen=True, slots=True)
class Aspect:
    """Which part of an object a write is about: how it is prepared and validated against the stored one."""

    prepare: Callable[[Any, Any], None]
    validate: Callable[[Any, Any], list[status.FieldError]]
    # Where clients do not write the object itself but something of another kind that is a view of it.
    view: View | None = None


class View(Protocol):
    """What a sub-resource shows of an object in an object of its own kind, and how that is written."""

    def of(self, obj: Any) -> ApiObject:
        """The view of a stored object, or of one that is about to be stored."""

    def written(self, entry: Entry, view: Any) -> ApiObject:
        """A private copy of the stored object as it is to become by a write of the view; 422 where that cannot be."""


def admission_request(operation: str, intent: Intent, obj: ApiObject | None, old: ApiObject | None) -> AdmissionRequest:
    """What admission is shown of a write."""
    name = intent.name
    if not name and obj is not None:
        name = obj.metadata.name or ""
    return AdmissionRequest(
        operation=operation,
        kind=intent.kind,
        subresource=intent.subresource,
        namespace=name if intent.kind.type is core_v1.Namespace else intent.namespace,
        name=name,
        user=intent.user,
        object=obj,
        old_object=old,
        dry_run=intent.dry_run,
        options=intent.options,
        part=intent.part,
        requested=intent.requested,
        warnings=intent.warnings,
        headers=intent.headers,
        verb=intent.verb,
    )
