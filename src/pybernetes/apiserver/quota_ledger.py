"""Writes into the status of ResourceQuotas what admission has let through.

The plug-in ResourceQuota gives a quota as it read it and what is used now; a compare-and-swap puts it into the store.
"""

from __future__ import annotations

from datetime import datetime

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.quantity import canonical
from pybernetes.api.quota import Amounts
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import ResourceQuota
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer
from pybernetes.environment.clock import Clock

_KIND = kind_of(ResourceQuota)
_TRACKER = Updates(_KIND, "kube-apiserver", "status")
_ASPECT = Aspect(lambda _new, _old: None, lambda _new, _old: [])


class QuotaLedger:
    """The `resource_quota.Ledger` of a server. Its writer comes after it, since the writer asks the plug-ins."""

    writer: Writer

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def write(self, quota: ResourceQuota, used: Amounts) -> str:
        """The new revision; empty when the quota has changed since it was read, also when it is gone."""
        meta = quota.metadata

        def make(entry: Entry) -> ApiObject:
            if str(entry.revision) != meta.resource_version:
                raise _Changed
            new = copy(quota)
            new.status.used = {key: canonical(amount) for key, amount in used.items()}
            return new

        place = (meta.namespace or "", meta.name or "")
        intent = Intent(_KIND, ITSELF, *place, subresource="status", pinned=True, tracker=_TRACKER)
        try:
            entry = await self.writer.modify(intent, make, _ASPECT)
        except _Changed:
            return ""
        except StatusError as error:
            if error.code in (404, 409):
                return ""
            raise
        return str(entry.revision)


class _Changed(Exception):
    """Somebody else was quicker."""
