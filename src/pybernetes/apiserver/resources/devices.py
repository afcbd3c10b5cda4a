"""Strategies of resource.k8s.io: devices that pods claim."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.resource_v1 import (
    CapacityRequirements,
    Device,
    DeviceSubRequest,
    ExactDeviceRequest,
    ResourceClaim,
    ResourceClaimSpec,
    ResourceClaimTemplate,
    ResourceSlice,
)
from pybernetes.apiserver.resources.amounts import canonical_or_none, canonicalize
from pybernetes.apiserver.resources.prepare import (
    clear_status,
    count_spec_changes,
    first_generation,
    keep_generation,
    keep_status,
    next_generation,
    only_status_and_its_metadata,
)
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.resources.validation import devices as validation


def _default_claim_spec(spec: ResourceClaimSpec) -> None:
    """A request asks for exactly one device."""
    for request in spec.devices.requests:
        if request.exactly is not None:
            _default_request(request.exactly)
        for alternative in request.first_available:
            _default_request(alternative)


def _default_request(request: ExactDeviceRequest | DeviceSubRequest) -> None:
    request.allocation_mode = request.allocation_mode or "ExactCount"
    if request.allocation_mode == "ExactCount" and not request.count:
        request.count = 1
    for toleration in request.tolerations:
        toleration.operator = toleration.operator or "Equal"
    _canonicalize(request.capacity)


def _canonicalize(capacity: CapacityRequirements | None) -> None:
    if capacity is not None:
        canonicalize(capacity.requests)


def _default_claim(claim: ResourceClaim) -> None:
    _default_claim_spec(claim.spec)


def _prepare_claim_status(new: ResourceClaim, old: ResourceClaim) -> None:
    """What drivers have said of a device goes with the device."""
    only_status_and_its_metadata(new, old)
    if not new.status.devices or old.status.allocation is None:
        return
    gone = set(map(validation.identity, old.status.allocation.devices.results))
    if new.status.allocation is not None:
        gone.difference_update(map(validation.identity, new.status.allocation.devices.results))
    new.status.devices = [device for device in new.status.devices if validation.identity(device) not in gone]


def _default_claim_template(template: ResourceClaimTemplate) -> None:
    _default_claim_spec(template.spec.spec)


def _default_slice(resource_slice: ResourceSlice) -> None:
    for counter_set in resource_slice.spec.shared_counters:
        for counter in counter_set.counters.values():
            counter.value = canonical_or_none(counter.value)
    for device in resource_slice.spec.devices:
        _default_device(device)


def _default_device(device: Device) -> None:
    for capacity in device.capacity.values():
        capacity.value = canonical_or_none(capacity.value)
    for consumption in device.consumes_counters:
        for counter in consumption.counters.values():
            counter.value = canonical_or_none(counter.value)


def _date_taints(resource_slice: ResourceSlice, now: str | None) -> None:
    for device in resource_slice.spec.devices:
        for taint in device.taints:
            taint.time_added = taint.time_added or now


def _drop_features(resource_slice: ResourceSlice) -> None:
    """Fields of features that are off by default: attributes of several values, and devices that are the node's own."""
    for device in resource_slice.spec.devices:
        device.node_allocatable_resource_mappings = {}
        for attribute in device.attributes.values():
            attribute.ints, attribute.bools, attribute.strings, attribute.versions = [], [], [], []


def _prepare_slice(resource_slice: ResourceSlice) -> None:
    _drop_features(resource_slice)
    first_generation(resource_slice)
    _date_taints(resource_slice, resource_slice.metadata.creation_timestamp)


def _prepare_slice_update(new: ResourceSlice, old: ResourceSlice) -> None:
    _drop_features(new)
    new.metadata.generation = next_generation(old, changed=new.spec != old.spec)


def _slice_fields(resource_slice: ResourceSlice) -> Mapping[str, str]:
    return {"spec.nodeName": resource_slice.spec.node_name or "", "spec.driver": resource_slice.spec.driver}


DEVICE_CLASS = Strategy(prepare_create=first_generation, prepare_update=count_spec_changes)
RESOURCE_CLAIM = Strategy(
    default=_default_claim,
    prepare_create=clear_status,
    prepare_update=keep_status,
    prepare_status=_prepare_claim_status,
)
RESOURCE_CLAIM_TEMPLATE = Strategy(default=_default_claim_template, prepare_update=keep_generation)
RESOURCE_SLICE = Strategy(
    default=_default_slice,
    prepare_create=_prepare_slice,
    prepare_update=_prepare_slice_update,
    fields=_slice_fields,
    field_names=frozenset(_slice_fields(ResourceSlice())),
)
