"""The one write path: create, modify and remove all end in a compare-and-swap in the store.

The order of a write is upstream's: mutating admission, the kind's own preparation, validation, validating admission,
store. A write that loses a race is tried again on the newer state, unless the client insisted on the older one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

from pybernetes.api import status
from pybernetes.api.objects import ApiObject
from pybernetes.api.time import format as format_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import ManagedFieldsEntry
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.allocation.reservation import NO_RESERVATION, Allocator, Reservation
from pybernetes.apiserver.collection import Collection
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.entry import Common, Entry
from pybernetes.apiserver.intents import Aspect, Intent, admission_request
from pybernetes.apiserver.moulds import Made, Moulds, Own, Wish
from pybernetes.apiserver.registry import Registry
from pybernetes.apiserver.system_metadata import is_finished, keep_system_metadata, keep_times, wipe
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
        admission = admission_request("CREATE", intent, obj, None)
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
        wipe(obj.metadata)
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
        keep_system_metadata(new, old)
        managed = self._managed(intent, new, old)
        admission = admission_request("UPDATE", intent, shown, before)
        if not intent.is_admitted:
            await self._chain.admit(admission)
        if view is not None:
            new = view.written(entry, shown)
            keep_system_metadata(new, old)
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
        admission = admission_request("CREATE", intent, obj, None)
        await self._chain.admit(admission)
        return lambda: self._chain.validate(admission)

    async def check_delete(self, intent: Intent, old: ApiObject | None) -> None:
        """Runs the admission of a deletion."""
        if not intent.is_admitted:
            admission = admission_request("DELETE", intent, None, old)
            await self._chain.admit(admission)
            await self._chain.validate(admission)

    async def _put(self, collection: Collection, intent: Intent, obj: ApiObject, old: Entry | None) -> Entry:
        key = collection.key(intent.namespace, obj.metadata.name or "")
        if not intent.dry_run:
            obj.metadata.self_link = None
        if old is not None:
            keep_times(obj, old.object)
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
        wipe(metadata)
        metadata.uid = self.chance.uid()
        metadata.creation_timestamp = self.now()
        metadata.namespace = intent.namespace or None

    async def _reserve(self, intent: Intent, new: ApiObject, old: ApiObject | None) -> Reservation:
        allocator = self.allocators.get(type(new))
        # What is cancelled may be stored all the same, so that it keeps what it was given until a repair looks at it.
        return await allocator.reserve(new, old, intent.dry_run) if allocator is not None else NO_RESERVATION


def _is_same(one: bytes, other: bytes) -> bool:
    """Whether two objects are the same but for the order of keys, which clients that speak protobuf sort."""
    if len(one) != len(other) or one == other:
        return one == other
    same: bool = msgspec.json.decode(one) == msgspec.json.decode(other)
    return same


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
