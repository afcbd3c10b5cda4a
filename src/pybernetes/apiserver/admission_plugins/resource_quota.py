"""ResourceQuota: refuses what would take a namespace over one of its quotas, and writes what is used into their status.

A write comes in last of all plug-ins. Those of one namespace that come at the same time are decided together, and are
charged by one compare-and-swap for each quota before any of them is stored, so that also several API servers together
let nothing slip past. `quota_charges` decides; where there are no quotas, seeing that is all that is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.quantity import compare
from pybernetes.api.quota import Amounts, is_relevant, is_terminating, total, usage
from pybernetes.api.status import OBJECT_MODIFIED, StatusError, conflict
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod, ResourceQuota, Service
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.admission_plugins.quota_charges import Account, charged
from pybernetes.apiserver.reader import Reader

# Quotas whose share of truth is remembered.
_KNOWN_MAX = 10_000
_ATTEMPTS_MAX = 8
# Objects that are counted without letting others in.
_AT_ONCE = 100
# What is not kept, or not for long, and namespaces, which are not in a namespace.
_UNCOUNTED = frozenset(
    {"bindings", "componentstatuses", "events", "localsubjectaccessreviews.authorization.k8s.io", "namespaces"}
)
# Of these, updates can use more than before.
_GROWING = (Service, PersistentVolumeClaim)


class Ledger(Protocol):
    """Where it is written down what is used."""

    def now(self) -> datetime:
        """The time by which pods count as gone."""

    async def write(self, quota: ResourceQuota, used: Amounts) -> str:
        """Puts `used` into the status of the quota as it was read; its new revision, empty when it had changed."""


class NoLedger:
    """Of a server that keeps no status, such as one of plug-ins alone."""

    def now(self) -> datetime:
        return datetime.min.replace(tzinfo=UTC)

    async def write(self, quota: ResourceQuota, used: Amounts) -> str:
        return quota.metadata.resource_version or "0"


@dataclass(eq=False, slots=True)
class _Waiter:
    """A write and what has been decided about it."""

    request: AdmissionRequest
    is_decided: bool = False
    refusal: StatusError | None = None

    def decide(self, refusal: StatusError | None) -> None:
        self.is_decided, self.refusal = True, refusal


@dataclass(eq=False, slots=True)
class _Desk:
    """Where the writes of a namespace wait while others of it are decided."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[_Waiter] = field(default_factory=list)


class ResourceQuotaAdmission(Bystander):
    """Checks creates of everything, and updates of what can grow."""

    name = "ResourceQuota"
    repeats = True

    def __init__(self, reader: Reader, ledger: Ledger) -> None:
        self._reader = reader
        self._ledger = ledger
        self._desks: dict[str, _Desk] = {}
        # By namespace and group resource: what is on its way into the store, by name.
        self._pending: dict[tuple[str, str], dict[str, ApiObject]] = {}
        # By uid of a quota: its revision that is known to be true, and of which resources.
        self._true: dict[str, tuple[str, frozenset[str]]] = {}

    def handles(self, request: AdmissionRequest) -> bool:
        if not request.namespace or request.kind.group_resource in _UNCOUNTED:
            return False
        if request.operation == "UPDATE":
            return _may_grow(request)
        return request.operation == "CREATE" and not request.subresource

    async def validate(self, request: AdmissionRequest) -> None:
        if request.object is None or not any(True for _ in self._reader.list(ResourceQuota, request.namespace)):
            return
        request.unique = True
        waiter = _Waiter(request)
        desk = self._desks.setdefault(request.namespace, _Desk())
        desk.waiting.append(waiter)
        try:
            async with desk.lock:
                # Whoever was here before has decided about all that waited.
                if not waiter.is_decided:
                    await self._decide(request.namespace, list(desk.waiting))
        finally:
            desk.waiting.remove(waiter)
            if not desk.waiting:
                self._desks.pop(request.namespace, None)
        if waiter.refusal is not None:
            raise waiter.refusal

    async def _decide(self, namespace: str, waiters: list[_Waiter]) -> None:
        names: set[str] | None = None
        for _ in range(_ATTEMPTS_MAX):
            undecided = [waiter for waiter in waiters if not waiter.is_decided]
            kinds = {waiter.request.kind.group_resource: waiter.request.kind for waiter in undecided}
            read = await self._accounts(namespace, names, kinds)
            accounts = read
            for waiter in undecided:
                accounts = self._charge(accounts, waiter)
            # Only those that came too late are read again: the others have been charged.
            changed = [(old, new) for old, new in zip(read, accounts, strict=True) if old.used != new.used]
            names = {new.name for old, new in changed if not await self._settle(old, new, kinds)}
            if not names:
                break
        for waiter in waiters:
            if not waiter.is_decided:
                error = conflict(kind_of(ResourceQuota), min(names), OBJECT_MODIFIED) if names else None
                waiter.decide(error)

    async def _accounts(self, namespace: str, names: set[str] | None, kinds: Mapping[str, Kind]) -> list[Account]:
        """The quotas, or those of the names that are still there, with what is used as far as these kinds count."""
        found = []
        for quota in list(self._reader.list(ResourceQuota, namespace)):
            if names is not None and quota.metadata.name not in names:
                continue
            hard, used = quota.status.hard, quota.status.used
            if not hard:
                # Nobody has counted yet.
                hard = quota.spec.hard
                used = dict.fromkeys(hard, 0)
            known = self._known(quota)
            for resource, kind in kinds.items():
                if resource not in known:
                    used = _raised(used, await self._counted(quota, kind, namespace))
            found.append(Account(quota, hard, used))
        return found

    def _known(self, quota: ResourceQuota) -> frozenset[str]:
        """The resources whose share of `used` is true, since it was last written here."""
        revision, resources = self._true.get(quota.metadata.uid or "", ("", frozenset[str]()))
        return resources if revision == quota.metadata.resource_version else frozenset()

    async def _counted(self, quota: ResourceQuota, kind: Kind, namespace: str) -> Amounts:
        """What is used by what is stored, and by what has been let through and is not stored yet.

        Others are let in now and then. Whatever uses more waits behind this, so that nothing is missed by then.
        """
        now = self._ledger.now()
        objects = {obj.metadata.name or "": obj for obj in self._reader.of_kind(kind, namespace)}
        # What is stored already may still be on its way back to who sent it.
        objects = self._pending.get((namespace, kind.group_resource), {}) | objects
        summed: Amounts = {}
        for number, obj in enumerate(objects.values(), 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if is_relevant(quota, obj):
                summed = total(summed, usage(obj, kind, now))
        return summed

    def _charge(self, accounts: list[Account], waiter: _Waiter) -> list[Account]:
        request = waiter.request
        try:
            after = charged(accounts, request, self._ledger.now())
        except StatusError as error:
            waiter.decide(error)
            return accounts
        if request.dry_run:
            waiter.decide(None)
            return accounts
        if request.operation == "CREATE" and request.object is not None:
            self._expect(request, request.object)
        return after

    def _expect(self, request: AdmissionRequest, obj: ApiObject) -> None:
        """Counts a new object as being there until its write has ended."""
        place, name = (request.namespace, request.kind.group_resource), obj.metadata.name or ""
        self._pending.setdefault(place, {})[name] = obj

        def ended() -> None:
            pending = self._pending.get(place, {})
            # Another one of the same name may have come since.
            if pending.get(name) is obj:
                del pending[name]
            if not pending:
                self._pending.pop(place, None)

        request.ended.append(ended)

    async def _settle(self, old: Account, new: Account, kinds: Mapping[str, Kind]) -> bool:
        """Writes down what is used, where anybody keeps it; False when that came too late."""
        if not old.quota.status.hard:
            return True
        known = self._known(old.quota)
        revision = await self._ledger.write(old.quota, new.used)
        if revision:
            if len(self._true) >= _KNOWN_MAX:
                self._true.clear()
            self._true[old.quota.metadata.uid or ""] = (revision, known | kinds.keys())
        return bool(revision)


def _may_grow(request: AdmissionRequest) -> bool:
    if request.kind.type is Pod:
        pod, old = request.object, request.old_object
        if request.subresource or not isinstance(pod, Pod) or not isinstance(old, Pod):
            return request.subresource == "resize"
        # It goes from the scope of one quota into that of another.
        return is_terminating(pod) != is_terminating(old)
    return request.kind.type in _GROWING and not request.subresource


def _raised(used: Amounts, counted: Amounts) -> Amounts:
    """The greater of both, by name."""
    more = {key: amount for key, amount in counted.items() if key in used and compare(amount, used[key]) > 0}
    return used | more
