"""The seam of admission: plug-ins that may change or refuse what is about to be stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.apiserver.bodies import WriteOptions
from pybernetes.apiserver.request import UserInfo


@dataclass(slots=True)
class AdmissionRequest:
    """One write on its way to the store.

    `object` is private to the request: a plug-in's `admit` may change it in place. It is None for DELETE, and for
    CONNECT the options of the sub-resource, which have no metadata. `old_object` is the stored one, shared, None on
    CREATE. `kind` is that of the resource as it is stored; `part` is that of the objects where a sub-resource has its
    own, such as Scale. A namespace is in itself. `name` is empty while it is yet to be generated, and for every object
    of a deletion of many. `warnings` are shown to the client; `audit` annotates the audit event.
    """

    operation: str  # CREATE, UPDATE, DELETE or CONNECT
    kind: Kind
    subresource: str
    namespace: str
    name: str
    user: UserInfo
    object: ApiObject | None
    old_object: ApiObject | None
    dry_run: bool = False
    # What the client asks for besides the object; None for CONNECT.
    options: WriteOptions | DeleteOptions | None = None
    part: Kind | None = None
    # As the path of the request names it, be it another version or group than is stored.
    requested: Kind | None = None
    warnings: list[str] = field(default_factory=list)
    audit: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    # Names that a plug-in has made up for the object: how each begins, and the whole of it.
    drawn: list[tuple[str, str]] = field(default_factory=list)
    # Called when the write of a new object has ended, well or not.
    ended: list[Callable[[], None]] = field(default_factory=list)
    # What a plug-in decided is about this one write: the next one of the same kind has to be asked about again.
    unique: bool = False
    # A policy has changed the object: all that change it are asked once more, policies only if they want that.
    is_changed_by_policy: bool = False
    is_second_round: bool = False
    # What policies have been applied in the first round, with which params, and want to be in the second.
    reinvocable: frozenset[tuple[str, ...]] = frozenset()
    # How the client asked for an UPDATE: update or patch.
    verb: str = "update"


class Plugin(Protocol):
    """One admission plug-in, named as upstream names it. Refusals are `StatusError`s."""

    name: str

    # What it does with a create depends only on the request, its object's name aside, and on what its reader shows.
    repeats: bool

    def handles(self, request: AdmissionRequest) -> bool:
        """Whether the plug-in wants to see this write; cheap, asked for every write."""

    async def admit(self, request: AdmissionRequest) -> None:
        """The mutating half: runs before validation, in plug-in order."""

    async def validate(self, request: AdmissionRequest) -> None:
        """The validating half: runs after validation and must not change the object."""
