"""Rules for the status of a ResourceClaim: what was allocated, who uses it, and what drivers say of the devices."""

from __future__ import annotations

from typing import Any

from pybernetes.api.ip_addresses import interface_address
from pybernetes.api.names import dns1123_label
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types.resource_v1 import (
    AllocatedDeviceStatus,
    AllocationResult,
    DeviceAllocationConfiguration,
    DeviceRequestAllocationResult,
    NetworkDeviceData,
    ResourceClaim,
    ResourceClaimConsumerReference,
)
from pybernetes.apiserver.resources.validation import devices
from pybernetes.apiserver.resources.validation.conditions import validate_conditions
from pybernetes.apiserver.resources.validation.device_claims import (
    MOST_CONFIGURATIONS,
    Requests,
    requests_of,
    validate_reference,
    validate_references,
)
from pybernetes.apiserver.resources.validation.lists import at_most, each, few, no_twins
from pybernetes.apiserver.resources.validation.metadata import immutable_part
from pybernetes.apiserver.resources.validation.selectors import validate_node_selector
from pybernetes.apiserver.resources.validation.texts import each_obeys, no_longer, obeys, required_one_of
from pybernetes.apiserver.resources.validation.volume_sources import validate_driver_name

_MOST_CONSUMERS = 256
_MOST_RESULTS = 32
_MOST_CONDITIONS = 8
_MOST_ADDRESSES = 16
_INTERFACE_LIMIT = 256
_HARDWARE_LIMIT = 128
_SOURCES = ("FromClaim", "FromClass")
_DELETED = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"


def validate_status(new: ResourceClaim, old: ResourceClaim) -> list[FieldError]:
    status, before = new.status, old.status
    errors = at_most(status.reserved_for, _MOST_CONSUMERS, "status.reservedFor")
    if not errors:
        errors += each(status.reserved_for, _validate_consumer, "status.reservedFor")
        errors += no_twins((consumer.uid for consumer in status.reserved_for), "status.reservedFor")
    allocated = _allocated(status.allocation)

    def device(item: AllocatedDeviceStatus, path: str) -> list[FieldError]:
        return _validate_device(item, allocated, path)

    errors += each(status.devices, device, "status.devices")
    errors += no_twins((devices.identity(item) for item in status.devices), "status.devices")
    if status.reserved_for and status.allocation is None:
        errors.append(forbidden_field("status.reservedFor", "may not be specified when `allocated` is not set"))
    elif new.metadata.deletion_timestamp and any(each not in before.reserved_for for each in status.reserved_for):
        errors.append(forbidden_field("status.reservedFor", _DELETED))
    if status.allocation is None:
        return errors
    if before.allocation is not None:
        return errors + immutable_part(status.allocation, before.allocation, "status.allocation")
    return errors + _validate_allocation(status.allocation, requests_of(new.spec.devices), "status.allocation")


def _validate_consumer(consumer: ResourceClaimConsumerReference, path: str) -> list[FieldError]:
    given = (("resource", consumer.resource), ("name", consumer.name), ("uid", consumer.uid))
    return [required(f"{path}.{name}") for name, value in given if not value]


def _allocated(allocation: AllocationResult | None) -> frozenset[str]:
    return frozenset(map(devices.identity, allocation.devices.results)) if allocation is not None else frozenset()


def _validate_device(device: AllocatedDeviceStatus, allocated: frozenset[str], path: str) -> list[FieldError]:
    errors = validate_driver_name(device.driver, f"{path}.driver")
    errors += devices.pool_name(device.pool, f"{path}.pool")
    errors += obeys(device.device, dns1123_label, f"{path}.device")
    errors += devices.share_id(device.share_id, f"{path}.shareID")
    if devices.identity(device) not in allocated:
        errors.append(invalid(path, devices.identity(device), "must be an allocated device in the claim"))
    errors += at_most(device.conditions, _MOST_CONDITIONS, f"{path}.conditions")
    errors += validate_conditions(device.conditions, f"{path}.conditions")
    if device.data is not None:
        errors += devices.validate_data(device.data, f"{path}.data")
    if device.network_data is not None:
        errors += _validate_network(device.network_data, f"{path}.networkData")
    return errors


def _validate_network(data: NetworkDeviceData, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, text, limit in (
        ("interfaceName", data.interface_name, _INTERFACE_LIMIT),
        ("hardwareAddress", data.hardware_address, _HARDWARE_LIMIT),
    ):
        errors += no_longer((text or "").encode(), limit, f"{path}.{name}")
    if surplus := at_most(data.ips, _MOST_ADDRESSES, f"{path}.ips"):
        return errors + surplus
    errors += each_obeys(data.ips, interface_address, f"{path}.ips")
    return errors + no_twins(data.ips, f"{path}.ips")


def _validate_allocation(allocation: AllocationResult, requests: Requests, path: str) -> list[FieldError]:
    def result(item: DeviceRequestAllocationResult, where: str) -> list[FieldError]:
        return _validate_result(item, requests, where)

    def configuration(item: DeviceAllocationConfiguration, where: str) -> list[FieldError]:
        return _validate_configuration(item, requests, where)

    given: Any = allocation.devices
    errors = few(given.results, _MOST_RESULTS, result, f"{path}.devices.results")
    errors += few(given.config, 2 * MOST_CONFIGURATIONS, configuration, f"{path}.devices.config")
    if allocation.node_selector is not None:
        errors += validate_node_selector(allocation.node_selector, f"{path}.nodeSelector")
    return errors


def _validate_result(result: DeviceRequestAllocationResult, requests: Requests, path: str) -> list[FieldError]:
    errors = validate_reference(result.request, requests, f"{path}.request")
    errors += validate_driver_name(result.driver, f"{path}.driver")
    errors += devices.pool_name(result.pool, f"{path}.pool")
    errors += obeys(result.device, dns1123_label, f"{path}.device")
    errors += devices.validate_binding(result.binding_conditions, result.binding_failure_conditions, path)
    return errors + devices.share_id(result.share_id, f"{path}.shareID")


def _validate_configuration(
    configuration: DeviceAllocationConfiguration, requests: Requests, path: str
) -> list[FieldError]:
    source = configuration.source
    errors = required_one_of(source, _SOURCES, f"{path}.source")
    errors += validate_references(configuration.requests, requests, f"{path}.requests")
    return errors + devices.validate_configuration(configuration.opaque, path)
