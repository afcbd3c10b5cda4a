"""Keeps a `ZoneData` equal to the cluster: informers' changes flow in. `Dns` owns it."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Namespace, Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.dns.records import SERVICE_NAME, Key, ZoneData, endpoint_entries, service_entry
from pybernetes.reconcile import Informers


class ZoneFollower:
    """Follows Services, EndpointSlices and Namespaces."""

    def __init__(self, zone: ZoneData, informers: Informers) -> None:
        self._zone = zone
        self._services = informers.of(Service)
        self._slices = informers.of(EndpointSlice)
        self._namespaces = informers.of(Namespace)
        self._services.on_change(self._service_changed)
        self._slices.on_change(self._slice_changed)
        self._namespaces.on_change(self._namespace_changed)

    @property
    def synced(self) -> bool:
        """Whether a name that is not in the zone data does not exist."""
        return self._services.synced and self._slices.synced and self._namespaces.synced

    async def wait_synced(self) -> None:
        await self._services.wait_synced()
        await self._slices.wait_synced()
        await self._namespaces.wait_synced()

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        if new is not None:
            self._zone.put_service(service_entry(new))
        elif old is not None:
            self._zone.remove_service(old.metadata.namespace or "", old.metadata.name or "")

    def _slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        if old is not None and (new is None or _service_of(old) != _service_of(new)):
            self._zone.put_slice(_service_of(old), old.metadata.name or "", ())
        if new is not None:
            self._zone.put_slice(_service_of(new), new.metadata.name or "", endpoint_entries(new))

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None:
            self._zone.put_namespace(new.metadata.name or "")
        elif old is not None:
            self._zone.remove_namespace(old.metadata.name or "")


def _service_of(item: EndpointSlice) -> Key:
    return item.metadata.namespace or "", item.metadata.labels.get(SERVICE_NAME, "")
