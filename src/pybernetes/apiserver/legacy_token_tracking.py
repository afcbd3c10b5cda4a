"""Notes on which day the lasting token of a Secret was last used, and since when this is noted.

Authentication tells of every use; a task of the server writes the labels and the ConfigMap, so that no request waits
for them. The controller that removes tokens which nobody uses goes by both.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from pybernetes.api.kinds import kind_of
from pybernetes.api.legacy_tokens import LAST_USED, TRACKING, date_of, day_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import ConfigMap, Secret
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer
from pybernetes.environment.clock import Clock

_log = logging.getLogger(__name__)
_NAMESPACE = "kube-system"
# How soon the ConfigMap is made again when somebody has removed it.
_INTERVAL_SECONDS = 60.0


def is_news(label: str | None, now: datetime) -> bool:
    """Whether a use now is to be noted; another server's clock may be a day ahead. Pure."""
    return label not in (day_of(now), day_of(now + timedelta(days=1)))


class LegacyTokenTracking:
    """Takes notes for one server. Its writer comes after it, since requests are authenticated before they write."""

    writer: Writer

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: dict[tuple[str, str], str] = {}  # UIDs of Secrets to be labelled, by namespace and name
        self._woken = asyncio.Event()

    def used(self, secret: Secret) -> None:
        """Somebody has come with the token of this Secret."""
        meta = secret.metadata
        if is_news(meta.labels.get(LAST_USED), self._clock.now()):
            self._used[meta.namespace or "", meta.name or ""] = meta.uid or ""
            self._woken.set()

    async def run(self) -> None:
        """Writes what there is to write, until cancelled."""
        while True:
            self._woken.clear()
            await self.settle()
            try:
                async with asyncio.timeout(_INTERVAL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def settle(self) -> None:
        """Writes what there is to write; what fails is left to the next use."""
        try:
            await self._say_since()
        except StatusError as error:
            _log.warning("the tracking of legacy tokens is not announced: %s", error)
        used, self._used = self._used, {}
        for place, uid in used.items():
            try:
                await self._label(place, uid)
            except StatusError as error:
                _log.warning("the use of the token in Secret %s/%s is not noted: %s", *place, error)

    async def _say_since(self) -> None:
        stored = self.writer.registry.get(ConfigMap, TRACKING, _NAMESPACE)
        since = {"since": day_of(self._clock.now())}
        kind = kind_of(ConfigMap)
        intent = Intent(kind, ITSELF, _NAMESPACE, TRACKING, tracker=Updates(kind, "kube-apiserver"))
        if stored is None:
            made = ConfigMap(metadata=ObjectMeta(name=TRACKING, namespace=_NAMESPACE), data=since)
            await self.writer.create(intent, made)
        elif date_of(stored.data.get("since", "")) is None:

            def make(entry: Entry) -> ApiObject:
                changed = entry.private()
                assert isinstance(changed, ConfigMap)
                changed.data = {**changed.data, **since}
                return changed

            await self.writer.modify(intent, make, self._aspect(intent))

    async def _label(self, place: tuple[str, str], uid: str) -> None:
        kind = kind_of(Secret)
        intent = Intent(kind, ITSELF, *place, tracker=Updates(kind, "kube-apiserver"))
        today = day_of(self._clock.now())

        def make(entry: Entry) -> ApiObject:
            changed = entry.private()
            if changed.metadata.uid == uid:
                changed.metadata.labels = {**changed.metadata.labels, LAST_USED: today}
            return changed

        if self.writer.registry.get(Secret, place[1], place[0]) is not None:
            await self.writer.modify(intent, make, self._aspect(intent))

    def _aspect(self, intent: Intent) -> Aspect:
        strategy = self.writer.registry.collection(intent.kind).form.strategy
        return Aspect(strategy.prepare_update, strategy.validate_update)
