"""The one write path: create, modify and remove all end in a compare-and-swap in the store.

The order of a write is upstream's: mutating admission, the kind's own preparation, validation, validating admission,
store. A write that loses a race is tried again on the newer state, unless the client insisted on the older one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.time import format as format_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import DeleteOptions, ManagedFieldsEntry, ObjectMeta
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.allocation.reservation import NO_RESERVATION, Allocator, Reservation
from pybernetes.apiserver.bodies import WriteOptions
from pybernetes.apiserver.collection import Collection
from pybernetes.apiserver.entry import Common, Entry
from pybernetes.apiserver.field_management.tracking import Tracker, same_but_for_time
from pybernetes.apiserver.metrics import Metrics
from pybernetes.apiserver.moulds import Made, Moulds, Own, Wish
from pybernetes.apiserver.registry import Registry
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.witness import Witness
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.store.contract import KeyValue
from pybernetes.store.errors import Conflict, StoreFailed, StoreFull
from pybernetes.turns import in_turns

_ATTEMPTS_MAX = 5
_GENERATED_NAME_ATTEMPTS = 8
# Upstream cuts a generateName so that name and suffix fit into a label.
_GENERATED_BASE_MAX = 58
_SECOND = timedelta(seconds=1)


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


class Writer:
    """Carries writes out. Everything it gives back is an entry; a dry run's has revision 0 or the stored one's."""

    def __init__(
        self,
        registry: Registry,
        witness: Witness,
        chain: AdmissionChain,
        metrics: Metrics,
        clock: Clock,
        chance: Chance,
    ) -> None:
        """`witness` is what the plug-ins of the chain read by."""
        self._chain = chain
        self._metrics = metrics
        self.registry = registry
        self._witness = witness
        self._moulds = Moulds()
        self.clock = clock
        self.chance = chance
        # How long an Event is kept, in seconds; see --event-ttl.
        self.event_seconds = 3600.0
        self._second = (datetime.min.replace(tzinfo=UTC), "")
        # By type; who hands out writes too, and so comes after the writer.
        self.allocators: dict[type[ApiObject], Allocator] = {}

    def now(self) -> str:
        """The time as objects show it: the same text for a second."""
        now = self.clock.now()
        began, text = self._second
        if not timedelta(0) <= now - began < _SECOND:
            self._second = (now.replace(microsecond=0), text := format_time(now))
        return text

    async def create(self, intent: Intent, obj: ApiObject, wish: Wish | None = None) -> Entry:
        """Stores a new object; `obj` is private and complete but for what the server fills in.

        `wish` is the request that it was read from, if it is to be remembered for `create_again`.
        """
        admission = self._admission("CREATE", intent, obj, None)
        if wish is None or not self._moulds.is_worth_learning(wish):
            return await self._create(intent, obj, admission)
        with self._witness.attention() as looked_at:
            entry = await self._create(intent, obj, admission)
        form = self.registry.collection(intent.kind).form
        repeats = self._metrics.repeats(self._chain.calls(admission))
        self._moulds.learn(wish, Made(form, admission, looked_at, obj, entry.value, repeats))
        return entry

    async def create_again(self, collection: Collection, wish: Wish) -> Entry | None:
        """Does for a wish what `create` did for others like it; None when it has to be done."""
        mould = self._moulds.find(wish, collection.form)
        if mould is None:
            return None
        drawn = mould.draw(self.chance)

        async def store(name: str) -> Entry:
            value = mould.cast(Own(name, self.chance.uid(), self.now(), drawn))
            return await self._store(collection, wish.namespace, name, value, mould.common)

        mould.repeats.count += 1
        return await self._under_free_name(collection, wish.namespace, wish.name, mould.generate_name, store)

    async def _create(self, intent: Intent, obj: ApiObject, admission: AdmissionRequest) -> Entry:
        _wipe(obj.metadata)
        # Before admission: what that adds is nobody's.
        obj.metadata.managed_fields = intent.tracker.created(obj, self.now()) if intent.tracker is not None else []
        await self._chain.admit(admission)

        async def store(name: str) -> Entry:
            obj.metadata.name = name or None
            return await self._create_named(intent, obj, admission)

        collection, metadata = self.registry.collection(intent.kind), obj.metadata
        name, generate_name = metadata.name or "", metadata.generate_name or ""
        try:
            return await self._under_free_name(collection, intent.namespace, name, generate_name, store)
        finally:
            for ended in admission.ended:
                ended()

    async def _under_free_name(
        self,
        collection: Collection,
        namespace: str,
        name: str,
        generate_name: str,
        store: Callable[[str], Awaitable[Entry]],
    ) -> Entry:
        """Stores under the name, or, where there is none, under one that is generated: another one if it is taken."""
        attempts = _GENERATED_NAME_ATTEMPTS if not name and generate_name else 1
        for attempt in range(attempts):
            if attempts > 1:
                name = generate_name[:_GENERATED_BASE_MAX] + self.chance.suffix()
            try:
                return await store(name)
            except Conflict as conflict:
                if attempt == attempts - 1:
                    raise _exists(collection, namespace, name, is_generated=bool(generate_name)) from conflict
        raise AssertionError("unreachable")

    async def _create_named(self, intent: Intent, obj: ApiObject, admission: AdmissionRequest) -> Entry:
        collection = self.registry.collection(intent.kind)
        strategy = collection.form.strategy
        self._fill_metadata(obj, intent)
        reservation = await self._reserve(intent, obj, None)
        try:
            intent.warnings.extend(strategy.prepare_create(obj) or ())
            strategy.stamp(obj, None, intent.user, self.now())
            if errors := await in_turns(lambda: strategy.validate_create(obj)):
                raise status.invalid_object(intent.kind, obj.metadata.name or "", errors)
            intent.warnings.extend(strategy.warnings(obj, None))
            admission.name = obj.metadata.name or ""
            await self._chain.validate(admission)
            entry = await self._put(collection, intent, obj, None)
        except Exception:
            await reservation.revert()
            raise
        await reservation.commit()
        return entry

    async def modify(self, intent: Intent, make: Callable[[Entry], ApiObject], aspect: Aspect) -> Entry:
        """Changes a stored object: `make` gives the private new form of an entry, again for every attempt."""
        collection = self.registry.collection(intent.kind)
        for _ in range(_ATTEMPTS_MAX):
            entry = collection.get(intent.namespace, intent.name)
            if entry is None:
                raise status.not_found(intent.kind, intent.name)
            new = make(entry)
            try:
                return await self._replace(collection, intent, entry, new, aspect)
            except Conflict as conflict:
                if intent.pinned:
                    raise status.conflict(intent.kind, intent.name, status.OBJECT_MODIFIED) from conflict
        raise status.conflict(intent.kind, intent.name, status.OBJECT_MODIFIED)

    async def _replace(
        self, collection: Collection, intent: Intent, entry: Entry, new: ApiObject, aspect: Aspect
    ) -> Entry:
        old, view = entry.object, aspect.view
        shown, before = new, old
        if view is not None:
            new, before = view.written(entry, shown), view.of(old)
        _keep_system_metadata(new, old)
        managed = self._managed(intent, new, old)
        admission = self._admission("UPDATE", intent, shown, before)
        if not intent.is_admitted:
            await self._chain.admit(admission)
        if view is not None:
            new = view.written(entry, shown)
            _keep_system_metadata(new, old)
        aspect.prepare(new, old)
        collection.form.strategy.stamp(new, old, intent.user, self.now())
        new.metadata.managed_fields = managed
        reservation = await self._reserve(intent, new, old)
        try:
            if errors := await in_turns(lambda: aspect.validate(new, old)):
                raise status.invalid_object(intent.kind, intent.name, errors)
            intent.warnings.extend(collection.form.strategy.warnings(new, old))
            if view is not None:
                admission.object = view.of(new)
            if not intent.is_admitted:
                await self._chain.validate(admission)
            if is_finished(new):
                return await self._erase(collection, intent, entry, new)
            result = await self._put(collection, intent, new, entry)
        except Exception:
            await reservation.revert()
            raise
        await reservation.commit()
        return result

    def _managed(self, intent: Intent, new: ApiObject, old: ApiObject) -> list[ManagedFieldsEntry]:
        if intent.tracker is None:
            return old.metadata.managed_fields
        return intent.tracker.changed(new, old, self.now())

    async def _erase(self, collection: Collection, intent: Intent, entry: Entry, last: ApiObject) -> Entry:
        """The update that took the last finalizer away: the object goes; its last form is the answer."""
        await self.remove_entry(collection, intent, entry)
        value = collection.form.encode(last)
        key = collection.key(entry.namespace, entry.name)
        return Entry(collection.form, KeyValue(key, value, entry.revision, entry.revision), last)

    async def remove_entry(self, collection: Collection, intent: Intent, entry: Entry) -> int:
        """Deletes an entry for good; the revision of its deletion. Raises the store's `Conflict`."""
        if intent.dry_run:
            return entry.revision
        key = collection.key(entry.namespace, entry.name)
        began = self._metrics.seconds()
        try:
            gone = await self.registry.store.delete(key, expected=entry.revision)
        except StoreFailed as error:
            self._metrics.store_failed("delete", collection.kind)
            raise _unavailable(error) from error
        self._metrics.stored("delete", collection.kind, began)
        if (allocator := self.allocators.get(collection.kind.type)) is not None:
            await allocator.release(entry.object)
        return gone.revision

    async def admit_answer(self, intent: Intent, obj: ApiObject) -> Callable[[], Awaitable[None]]:
        """The mutating half of admission for what is created without being stored, such as an Eviction.

        Gives the other half, to be called once the object is known to be valid.
        """
        admission = self._admission("CREATE", intent, obj, None)
        await self._chain.admit(admission)
        return lambda: self._chain.validate(admission)

    async def check_delete(self, intent: Intent, old: ApiObject | None) -> None:
        """Runs the admission of a deletion."""
        if not intent.is_admitted:
            admission = self._admission("DELETE", intent, None, old)
            await self._chain.admit(admission)
            await self._chain.validate(admission)

    async def _put(self, collection: Collection, intent: Intent, obj: ApiObject, old: Entry | None) -> Entry:
        key = collection.key(intent.namespace, obj.metadata.name or "")
        if not intent.dry_run:
            obj.metadata.self_link = None
        if old is not None:
            _keep_times(obj, old.object)
        value = collection.form.encode(obj)
        if old is not None and _is_same(old.value, value):
            return old
        if intent.dry_run:
            if old is None and collection.get(intent.namespace, obj.metadata.name or "") is not None:
                raise Conflict(key, None)
            revision = old.revision if old is not None else 0
            return Entry(collection.form, KeyValue(key, value, revision, revision), obj)
        return await self._store(collection, intent.namespace, obj.metadata.name or "", value, obj, old)

    async def _store(  # noqa: PLR0913 - where, what, and in whose place
        self,
        collection: Collection,
        namespace: str,
        name: str,
        value: bytes,
        known: ApiObject | Common,
        old: Entry | None = None,
    ) -> Entry:
        """The compare-and-swap that every write ends in."""
        key = collection.key(namespace, name)
        collection.expect(key, value, known)
        lease = self.event_seconds if collection.kind.type is core_v1.Event else None
        operation, began = "create" if old is None else "update", self._metrics.seconds()
        try:
            item = await self.registry.store.put(key, value, old.revision if old is not None else 0, lease)
        except StoreFailed as error:
            self._metrics.store_failed(operation, collection.kind)
            raise _unavailable(error) from error
        finally:
            collection.forget(key, value)
        self._metrics.stored(operation, collection.kind, began)
        stored = collection.get(namespace, name)
        return stored if stored is not None and stored.revision == item.revision else Entry(collection.form, item)

    def _fill_metadata(self, obj: ApiObject, intent: Intent) -> None:
        metadata = obj.metadata
        _wipe(metadata)
        metadata.uid = self.chance.uid()
        metadata.creation_timestamp = self.now()
        metadata.namespace = intent.namespace or None

    async def _reserve(self, intent: Intent, new: ApiObject, old: ApiObject | None) -> Reservation:
        allocator = self.allocators.get(type(new))
        # What is cancelled may be stored all the same, so that it keeps what it was given until a repair looks at it.
        return await allocator.reserve(new, old, intent.dry_run) if allocator is not None else NO_RESERVATION

    def _admission(
        self, operation: str, intent: Intent, obj: ApiObject | None, old: ApiObject | None
    ) -> AdmissionRequest:
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


def _wipe(metadata: ObjectMeta) -> None:
    """What only the server says of a new object."""
    metadata.uid = metadata.creation_timestamp = metadata.self_link = None
    metadata.deletion_timestamp = metadata.deletion_grace_period_seconds = None


def is_finished(obj: ApiObject) -> bool:
    """Whether nothing keeps a deleted object any more."""
    metadata = obj.metadata
    if metadata.deletion_timestamp is None or metadata.finalizers:
        return False
    if isinstance(obj, core_v1.Namespace) and obj.spec.finalizers:
        return False
    return metadata.deletion_grace_period_seconds in (None, 0)


def _keep_system_metadata(new: ApiObject, old: ApiObject) -> None:
    """What no update may change, whatever the client sent."""
    kept, given = old.metadata, new.metadata
    given.uid = given.uid or kept.uid
    given.creation_timestamp = kept.creation_timestamp
    if kept.deletion_timestamp is not None:
        given.deletion_timestamp = kept.deletion_timestamp
        if given.deletion_grace_period_seconds is None:
            given.deletion_grace_period_seconds = kept.deletion_grace_period_seconds
    given.generation = kept.generation
    given.generate_name = given.generate_name or kept.generate_name


def _is_same(one: bytes, other: bytes) -> bool:
    """Whether two objects are the same but for the order of keys, which clients that speak protobuf sort."""
    if len(one) != len(other) or one == other:
        return one == other
    same: bool = msgspec.json.decode(one) == msgspec.json.decode(other)
    return same


def _keep_times(new: ApiObject, old: ApiObject) -> None:
    """A write that changes nothing but the time at which a manager last wrote changes nothing."""
    before, after = old.metadata.managed_fields, new.metadata.managed_fields
    if before is after or not same_but_for_time(before, after):
        return
    revision, new.metadata.resource_version = new.metadata.resource_version, old.metadata.resource_version
    new.metadata.managed_fields = before
    if new != old:
        new.metadata.managed_fields = after
    new.metadata.resource_version = revision


def _exists(collection: Collection, namespace: str, name: str, *, is_generated: bool) -> status.StatusError:
    error = status.already_exists(collection.kind, name)
    if is_generated and error.status.details is not None:
        unable = "the server was not able to generate a unique name for the object"
        error.status.message = f"{error.status.message}, {unable}"
        error.status.details.retry_after_seconds = 1
    there = collection.get(namespace, name)
    if there is not None and there.object.metadata.deletion_timestamp is not None:
        error.status.message = f"object is being deleted: {error.status.message}"
    return error


def _unavailable(error: StoreFailed) -> status.StatusError:
    """500: the write could not be made durable, so it did not happen. A full store says so in etcd's words."""
    if isinstance(error, StoreFull):
        return status.failure(500, "", "etcdserver: mvcc: database space exceeded")
    return status.internal_error(f"the store did not accept the write: {error}")
