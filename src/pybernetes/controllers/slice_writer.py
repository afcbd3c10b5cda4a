"""Carries a `SlicePlan` out and remembers what it has created, so that a cache that is behind does not double
slices.
"""

from __future__ import annotations

from collections.abc import Callable

from pybernetes.api.status import StatusError
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.client import Client, Unreachable
from pybernetes.controllers.pod_control import namespace_is_going
from pybernetes.controllers.slices import MANAGED_BY, SERVICE_NAME, SlicePlan
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import Expectations, Informer


class SliceWriter:
    """One per controller; keys are those of its queue."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._expectations = Expectations()

    def follow(self, slices: Informer[EndpointSlice], controller: str, enqueue: Callable[[str], None]) -> None:
        """Hears of every change of the slices that `controller` manages, and enqueues their Services."""

        def changed(old: EndpointSlice | None, new: EndpointSlice | None) -> None:
            item = new or old
            if item is None or item.metadata.labels.get(MANAGED_BY) != controller:
                return
            for key in service_keys(item):
                if old is None:
                    self._expectations.creation_observed(key)
                elif new is None:
                    self._expectations.deletion_observed(key, old.metadata.uid or "")
                enqueue(key)

        slices.add_index(SERVICE_NAME, service_keys)
        slices.on_change(changed)

    def forget(self, key: str) -> None:
        self._expectations.forget(key)

    def settled(self, key: str) -> bool:
        """Whether the cache shows all that was written; until then there is nothing to decide on."""
        return self._expectations.satisfied(key, self._clock.monotonic())

    async def write(self, key: str, plan: SlicePlan) -> None:
        """Creates and updates first: a reader must not see fewer endpoints than there are."""
        for new in plan.create:
            await self._create(key, new)
        for changed in plan.update:
            await self._client.update(changed)
        for old in plan.delete:
            await self._delete(key, old)

    async def _create(self, key: str, new: EndpointSlice) -> None:
        self._expectations.expect_creations(key, 1, self._clock.monotonic())
        try:
            await self._client.create(new)
        except (StatusError, Unreachable) as error:
            self._expectations.creation_observed(key)
            if not namespace_is_going(error):
                raise

    async def _delete(self, key: str, old: EndpointSlice) -> None:
        self._expectations.expect_deletions(key, [old.metadata.uid or ""], self._clock.monotonic())
        try:
            await self._client.delete(EndpointSlice, old.metadata.name or "", old.metadata.namespace or "")
        except (StatusError, Unreachable) as error:
            self._expectations.deletion_observed(key, old.metadata.uid or "")
            if not (isinstance(error, StatusError) and error.code == 404):
                raise


def service_keys(item: EndpointSlice) -> list[str]:
    """The key of the Service that a slice is for, if it is for one."""
    name = item.metadata.labels.get(SERVICE_NAME)
    return [f"{item.metadata.namespace}/{name}"] if name else []
