"""delete and deletecollection: graceful deletion, finalizers, propagation and preconditions, in upstream's order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.time import format as format_time
from pybernetes.api.time import parse as parse_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta, StatusDetails
from pybernetes.apiserver.custom.names import mark_terminating
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.intents import Intent
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.apiserver.writer import Writer
from pybernetes.store.contract import KeyValue
from pybernetes.store.errors import Conflict

_ATTEMPTS_MAX = 5
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"
# Keeps a CustomResourceDefinition until its objects are gone.
CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_TERMINAL_PHASES = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Deleted:
    """The outcome: the object's last state, and whether it is gone (else it waits for grace or finalizers)."""

    entry: Entry
    gone: bool


class Deletion:
    """Carries deletions out through the writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def delete(self, intent: Intent, options: DeleteOptions, is_one_of_many: bool = False) -> Deleted:
        """Deletes one object, or begins to; 404, 409 for failed preconditions. Of many, admission hears no names."""
        collection = self._writer.registry.collection(intent.kind)
        asked = replace(intent, name="") if is_one_of_many else intent
        marked: list[Entry] = []
        for _ in range(_ATTEMPTS_MAX):
            entry = collection.get(intent.namespace, intent.name)
            if marked and (entry is None or entry.object.metadata.uid != marked[-1].object.metadata.uid):
                # Someone else who saw the mark was faster; it is gone, as it was to be.
                return Deleted(marked[-1], gone=True)
            if entry is None:
                raise status.not_found(intent.kind, intent.name)
            if not marked:
                check_preconditions(intent.kind, entry, options)
            if is_pending(entry.object, options):
                return Deleted(entry, gone=False)
            if not marked:
                await self._writer.check_delete(asked, entry.object)
            try:
                return await self._attempt(intent, entry, options, marked)
            except Conflict:
                continue
        raise status.conflict(intent.kind, intent.name, status.OBJECT_MODIFIED)

    async def _attempt(self, intent: Intent, entry: Entry, options: DeleteOptions, marks: list[Entry]) -> Deleted:
        """One try; `marks` gets the state that it stored before a removal at once."""
        old = entry.object
        begun = old.metadata.deletion_timestamp is not None
        hastens = begun and bool(old.metadata.deletion_grace_period_seconds)
        grace = grace_seconds(old, options)
        strategy = self._writer.registry.collection(intent.kind).form.strategy
        finalizers = wanted_finalizers(old, options, strategy)
        if isinstance(old, CustomResourceDefinition) and not begun:
            finalizers = list(dict.fromkeys([*finalizers, CLEANUP_FINALIZER]))
        if not (finalizers or grace > 0 or _namespace_waits(old)):
            if isinstance(old, core_v1.Pod) and (hastens or not begun):
                # Whoever watches sees a pod marked before it is gone, however short its grace.
                marked = entry.private()
                self._mark(marked, 0, finalizers)
                entry = await self._store(intent, entry, marked)
                marks.append(entry)
            revision = await self._writer.remove_entry(self._writer.registry.collection(intent.kind), intent, entry)
            return Deleted(_last(entry, revision), gone=True)
        if begun and not hastens and finalizers == old.metadata.finalizers:
            return Deleted(entry, gone=False)
        new = entry.private()
        self._mark(new, grace, finalizers)
        return Deleted(await self._store(intent, entry, new), gone=False)

    def _mark(self, new: ApiObject, grace: int, finalizers: list[str]) -> None:
        metadata, now = new.metadata, self._writer.clock.now()
        begun = metadata.deletion_timestamp is not None
        metadata.deletion_timestamp = format_time(_due(metadata, grace, now))
        if not isinstance(new, core_v1.Namespace):
            metadata.deletion_grace_period_seconds = grace
        if metadata.generation and not begun:
            metadata.generation += 1
        metadata.finalizers = finalizers
        if isinstance(new, core_v1.Namespace):
            new.status.phase = "Terminating"
        elif isinstance(new, CustomResourceDefinition) and not begun:
            mark_terminating(new, format_time(now))

    async def _store(self, intent: Intent, entry: Entry, new: ApiObject) -> Entry:
        collection = self._writer.registry.collection(intent.kind)
        key = collection.key(entry.namespace, entry.name)
        value = collection.form.encode(new)
        if intent.dry_run:
            return Entry(collection.form, KeyValue(key, value, entry.revision, entry.revision), new)
        item = await self._writer.registry.store.put(key, value, entry.revision)
        return Entry(collection.form, item)

    async def delete_all(self, intent: Intent, entries: list[Entry], options: DeleteOptions) -> None:
        """Deletes each of the entries; those that have gone meanwhile are no error."""
        for entry in entries:
            one = replace(intent, namespace=entry.namespace, name=entry.name)
            try:
                await self.delete(one, options, is_one_of_many=True)
            except status.StatusError as error:
                if error.code != 404:
                    raise


def is_pending(obj: ApiObject, options: DeleteOptions) -> bool:
    """Whether a deletion is under way that this one would not hasten, so that it changes nothing. Pure."""
    metadata = obj.metadata
    if metadata.deletion_timestamp is None:
        return False
    if isinstance(obj, core_v1.Namespace):
        return _namespace_waits(obj)
    held, asked = metadata.deletion_grace_period_seconds, _asked_grace(options)
    return held is not None and held > 0 and (asked is None or asked >= held)


def grace_seconds(obj: ApiObject, options: DeleteOptions) -> int:
    """How long an object may take to end; only pods that run somewhere get any time. Pure."""
    if not isinstance(obj, core_v1.Pod):
        return 0
    asked, metadata = _asked_grace(options), obj.metadata
    if metadata.deletion_timestamp is not None:
        # Only what hastens the end comes so far; what has no time left gets no more.
        return (asked or 0) if metadata.deletion_grace_period_seconds else 0
    if not obj.spec.node_name or obj.status.phase in _TERMINAL_PHASES:
        return 0
    if asked is None:
        asked = obj.spec.termination_grace_period_seconds or 0
    return max(asked, 1) if asked < 0 else asked


def _asked_grace(options: DeleteOptions) -> int | None:
    """The seconds that the client names; a negative period means "at once, but let the kubelet do it"."""
    asked = options.grace_period_seconds
    return 1 if asked is not None and asked < 0 else asked


def _due(metadata: ObjectMeta, grace: int, now: datetime) -> datetime:
    """When an object's time is over; a deletion that is hastened still counts from its beginning. Pure."""
    if metadata.deletion_timestamp is None:
        return now + timedelta(seconds=grace)
    held = metadata.deletion_grace_period_seconds
    before = parse_time(metadata.deletion_timestamp)
    return before + timedelta(seconds=grace - held) if held else before


def says_nothing(options: DeleteOptions) -> bool:
    """Whether a deletion leaves to the kind what becomes of dependents. Pure."""
    return options.propagation_policy is None and options.orphan_dependents is None


def wanted_finalizers(obj: ApiObject, options: DeleteOptions, strategy: Strategy) -> list[str]:
    """The object's finalizers with what the propagation policy, or else its kind, adds or takes away. Pure."""
    before = obj.metadata.finalizers
    policy = options.propagation_policy
    if policy is None and options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    had = next((name for name in before if name in (_FOREGROUND, _ORPHAN)), None)
    if policy is None:
        wanted = had or (_ORPHAN if strategy.orphans else None)
    else:
        wanted = {"Orphan": _ORPHAN, "Foreground": _FOREGROUND}.get(policy)
    if not strategy.has_dependents:
        wanted = None
    after = [name for name in before if name not in (_FOREGROUND, _ORPHAN)]
    if wanted is not None:
        after.append(wanted)
    return list(before) if set(after) == set(before) else after


def _namespace_waits(obj: ApiObject) -> bool:
    return isinstance(obj, core_v1.Namespace) and bool(obj.spec.finalizers)


def _last(entry: Entry, revision: int) -> Entry:
    """The last state of an object that is gone, as the answer to its deletion shows it."""
    return entry.at(revision)


def check_preconditions(kind: Kind, entry: Entry, options: DeleteOptions) -> None:
    """409 where the object is not the one, or not as it was, that a client means."""
    wanted = options.preconditions
    if wanted is None:
        return
    uid = entry.object.metadata.uid
    if wanted.uid is not None and wanted.uid != uid:
        raise _precondition(kind, entry.name, "UID", wanted.uid, uid or "", "deleted and then recreated")
    revision = str(entry.revision)
    if wanted.resource_version is not None and wanted.resource_version != revision:
        raise _precondition(kind, entry.name, "ResourceVersion", wanted.resource_version, revision, "modified")


def _precondition(kind: Kind, name: str, what: str, wanted: str, found: str, guess: str) -> status.StatusError:  # noqa: PLR0913
    why = (
        f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
        f"The object might have been {guess}"
    )
    message = f'Operation cannot be fulfilled on {kind.name} "{name}": {why}'
    details = StatusDetails(name=name, kind=kind.name)
    return status.failure(409, "Conflict", message, details)
