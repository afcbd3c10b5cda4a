"""Strategies of Endpoints and EndpointSlices."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Endpoints
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.apiserver.resources.prepare import count_any_change_of, first_generation, keep_generation
from pybernetes.apiserver.resources.strategy import Strategy


def _default_endpoints(endpoints: Endpoints) -> None:
    for subset in endpoints.subsets:
        for port in subset.ports:
            port.protocol = port.protocol or "TCP"


def _default_endpoint_slice(endpoint_slice: EndpointSlice) -> None:
    for port in endpoint_slice.ports:
        port.name = port.name or ""
        port.protocol = port.protocol or "TCP"


def _prepare_slice(endpoint_slice: EndpointSlice) -> None:
    first_generation(endpoint_slice)
    _drop_topology(endpoint_slice)


def _prepare_slice_update(new: EndpointSlice, old: EndpointSlice) -> None:
    _drop_topology(new)
    count_any_change_of("endpoints", "ports", "address_type")(new, old)
    if new.metadata.labels != old.metadata.labels and new.metadata.generation == old.metadata.generation:
        new.metadata.generation = (old.metadata.generation or 0) + 1


def _drop_topology(endpoint_slice: EndpointSlice) -> None:
    """`deprecatedTopology` has no place in v1 any more."""
    for endpoint in endpoint_slice.endpoints:
        endpoint.deprecated_topology = {}


ENDPOINTS = Strategy(default=_default_endpoints, prepare_update=keep_generation, creates_on_update=True)
ENDPOINT_SLICE = Strategy(
    default=_default_endpoint_slice, prepare_create=_prepare_slice, prepare_update=_prepare_slice_update
)
