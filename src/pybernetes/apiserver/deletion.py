"""delete and deletecollection: graceful deletion, finalizers, propagation and preconditions, in upstream's order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.time import format as format_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.meta_v1 import DeleteOptions, StatusDetails
from pybernetes.apiserver.custom.names import mark_terminating
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.writer import Intent, Writer
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

    async def delete(self, intent: Intent, options: DeleteOptions, admitted: bool = False) -> Deleted:
        """Deletes one object, or begins to; 404, 409 for failed preconditions."""
        collection = self._writer.registry.collection(intent.kind)
        for _ in range(_ATTEMPTS_MAX):
            entry = collection.get(intent.namespace, intent.name)
            if entry is None:
                raise status.not_found(intent.kind, intent.name)
            _check_preconditions(intent.kind, entry, options)
            if not admitted:
                await self._writer.check_delete(intent, entry.object)
            try:
                return await self._attempt(intent, entry, options)
            except Conflict:
                continue
        raise status.conflict(intent.kind, intent.name, status.OBJECT_MODIFIED)

    async def _attempt(self, intent: Intent, entry: Entry, options: DeleteOptions) -> Deleted:
        old = entry.object
        grace = grace_seconds(old, options)
        strategy = self._writer.registry.collection(intent.kind).form.strategy
        finalizers = wanted_finalizers(old, options, orphans=strategy.orphans)
        if isinstance(old, CustomResourceDefinition) and old.metadata.deletion_timestamp is None:
            finalizers = list(dict.fromkeys([*finalizers, CLEANUP_FINALIZER]))
        waits = bool(finalizers) or grace > 0 or _namespace_waits(old)
        already = old.metadata.deletion_timestamp is not None
        shortens = already and grace < (old.metadata.deletion_grace_period_seconds or 0)
        if not waits:
            if isinstance(old, core_v1.Pod) and (shortens or not already):
                # Whoever watches sees a pod marked before it is gone, however short its grace.
                marked = entry.private()
                self._mark(marked, 0, finalizers, already)
                entry = await self._store(intent, entry, marked)
            revision = await self._writer.remove_entry(self._writer.registry.collection(intent.kind), intent, entry)
            return Deleted(_last(entry, revision), gone=True)
        if already and not shortens and finalizers == old.metadata.finalizers:
            return Deleted(entry, gone=False)
        new = entry.private()
        self._mark(new, grace, finalizers, already)
        return Deleted(await self._store(intent, entry, new), gone=False)

    def _mark(self, new: ApiObject, grace: int, finalizers: list[str], already: bool) -> None:
        metadata = new.metadata
        if not already or grace < (metadata.deletion_grace_period_seconds or 0):
            due = self._writer.clock.now() + timedelta(seconds=grace)
            metadata.deletion_timestamp = format_time(due)
            if not isinstance(new, core_v1.Namespace):
                metadata.deletion_grace_period_seconds = grace
            if metadata.generation and not already:
                metadata.generation += 1
        metadata.finalizers = finalizers
        if isinstance(new, core_v1.Namespace):
            new.status.phase = "Terminating"
        elif isinstance(new, CustomResourceDefinition) and not already:
            mark_terminating(new, format_time(self._writer.clock.now()))

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
                await self.delete(one, options)
            except status.StatusError as error:
                if error.code != 404:
                    raise


def grace_seconds(obj: ApiObject, options: DeleteOptions) -> int:
    """How long an object may take to end; only pods that run somewhere get any time. Pure."""
    if not isinstance(obj, core_v1.Pod):
        return 0
    if not obj.spec.node_name or obj.status.phase in _TERMINAL_PHASES:
        return 0
    asked = options.grace_period_seconds
    if asked is None:
        asked = obj.spec.termination_grace_period_seconds
    if asked is None:
        asked = 30
    # A negative period means "at once, but let the kubelet do it".
    return max(asked, 1) if asked < 0 else asked


def says_nothing(options: DeleteOptions) -> bool:
    """Whether a deletion leaves to the kind what becomes of dependents. Pure."""
    return options.propagation_policy is None and options.orphan_dependents is None


def wanted_finalizers(obj: ApiObject, options: DeleteOptions, *, orphans: bool) -> list[str]:
    """The object's finalizers with what the propagation policy, or else its kind, adds or takes away. Pure."""
    kept = [name for name in obj.metadata.finalizers if name not in (_FOREGROUND, _ORPHAN)]
    had = [name for name in obj.metadata.finalizers if name in (_FOREGROUND, _ORPHAN)]
    policy = options.propagation_policy
    if policy is None and options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    if policy is None and (had or not orphans):
        return list(obj.metadata.finalizers)
    if policy in (None, "Orphan"):
        return [*kept, _ORPHAN]
    if policy == "Foreground":
        return [*kept, _FOREGROUND]
    return kept if had else list(obj.metadata.finalizers)


def _namespace_waits(obj: ApiObject) -> bool:
    return isinstance(obj, core_v1.Namespace) and bool(obj.spec.finalizers)


def _last(entry: Entry, revision: int) -> Entry:
    """The last state of an object that is gone, as the answer to its deletion shows it."""
    return entry.at(revision)


def _check_preconditions(kind: Kind, entry: Entry, options: DeleteOptions) -> None:
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
