"""Rules for ResourceSlices: a driver's devices, the nodes that reach them, and what the devices share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.quantity import add, compare, value
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import NodeSelector
from pybernetes.api.types.resource_v1 import (
    CapacityRequestPolicy,
    CapacityRequestPolicyRange,
    Counter,
    CounterSet,
    Device,
    DeviceAttribute,
    DeviceCapacity,
    DeviceCounterConsumption,
    ResourcePool,
    ResourceSlice,
    ResourceSliceSpec,
)
from pybernetes.apiserver.resources.validation import devices
from pybernetes.apiserver.resources.validation.lists import at_most, each, few, no_twins
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.selectors import shown_terms, validate_node_selector
from pybernetes.apiserver.resources.validation.texts import no_longer, obeys, required_text
from pybernetes.apiserver.resources.validation.volume_sources import validate_driver_name

_MOST_DEVICES = 128
_MOST_TAINTED_DEVICES = 64
_MOST_COUNTER_SETS = 8
_MOST_COUNTERS = 32
_MOST_CONSUMPTIONS = 2
_MOST_FEATURES = 32
_MOST_TAINTS = 16
_MOST_CHOICES = 10
_VALUE_LIMIT = 64
_LABEL_LIMIT = 63
# A domain, a slash and an identifier.
_FEATURE_LIMIT = 96
_ALL_OR_UNSET = "must be either unset or set to true"
_PLACES = "`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`"
_PLACE = "`nodeName`, `nodeSelector`, or `allNodes`"
_NOT_A_VERSION = "must be a string compatible with semver.org spec 2.0.0"
_number = r"(0|[1-9]\d*)"
_before = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_built = "[0-9a-zA-Z-]+"
_version = re.compile(
    rf"{_number}\.{_number}\.{_number}(-{_before}(\.{_before})*)?(\+{_built}(\.{_built})*)?", re.ASCII
)


def validate_slice(resource_slice: ResourceSlice) -> list[FieldError]:
    spec = resource_slice.spec
    errors = validate_driver_name(spec.driver, "spec.driver") + _validate_pool(spec.pool)
    return errors + _validate_content(spec, {})


def validate_slice_update(new: ResourceSlice, old: ResourceSlice) -> list[FieldError]:
    spec, before = new.spec, old.spec
    errors = validate_driver_name(spec.driver, "spec.driver") + _validate_pool(spec.pool)
    errors += immutable(spec.pool.name, before.pool.name, "spec.pool.name")
    errors += immutable(spec.driver, before.driver, "spec.driver")
    errors += immutable(spec.node_name, before.node_name, "spec.nodeName")
    return errors + _validate_content(spec, {device.name: device for device in before.devices})


def _validate_pool(pool: ResourcePool) -> list[FieldError]:
    errors = devices.pool_name(pool.name, "spec.pool.name")
    if pool.resource_slice_count <= 0:
        errors.append(invalid("spec.pool.resourceSliceCount", pool.resource_slice_count, "must be greater than zero"))
    if pool.generation < 0:
        errors.append(invalid("spec.pool.generation", pool.generation, "must be greater than or equal to zero"))
    return errors


def _validate_content(spec: ResourceSliceSpec, before: Mapping[str, Device]) -> list[FieldError]:
    errors = _validate_places(spec)
    if spec.shared_counters and spec.devices:
        errors.append(invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed"))
    burdened = any(device.taints or device.consumes_counters for device in spec.devices)
    most = _MOST_TAINTED_DEVICES if burdened else _MOST_DEVICES

    def device(item: Device, path: str) -> list[FieldError]:
        return _validate_device(item, before.get(item.name), path, own_place=bool(spec.per_device_node_selection))

    surplus = at_most(spec.devices, most, "spec.devices")
    errors += surplus or each(spec.devices, device, "spec.devices")
    if not surplus:
        errors += no_twins((item.name for item in spec.devices), "spec.devices")
    if surplus := at_most(spec.shared_counters, _MOST_COUNTER_SETS, "spec.sharedCounters"):
        return errors + surplus
    errors += each(spec.shared_counters, _validate_counter_set, "spec.sharedCounters")
    return errors + no_twins((item.name for item in spec.shared_counters), "spec.sharedCounters")


def _validate_places(spec: ResourceSliceSpec) -> list[FieldError]:
    """Which nodes reach the devices is said in exactly one way."""
    chosen, errors = _validate_nodes(spec, "spec", "must be either unset or set to a non-empty string")
    selector = spec.node_selector
    if selector is not None and len(selector.node_selector_terms) != 1:
        shown = shown_terms(selector.node_selector_terms)
        errors.append(invalid("spec.nodeSelector.nodeSelectorTerms", shown, "must have exactly one node selector term"))
    if spec.per_device_node_selection:
        chosen.append("`perDeviceNodeSelection`")
    elif spec.per_device_node_selection is False:
        errors.append(invalid("spec.perDeviceNodeSelection", False, _ALL_OR_UNSET))
    rule = f"exactly one of {_PLACES} is required"
    if not chosen:
        errors.append(required("spec", rule))
    elif len(chosen) > 1:
        errors.append(invalid("spec", f"{{{', '.join(chosen)}}}", f"{rule}, but multiple fields are set"))
    return errors


def _validate_nodes(owner: ResourceSliceSpec | Device, path: str, empty: str) -> tuple[list[str], list[FieldError]]:
    """The ways in which nodes are named, and what is wrong with them."""
    chosen: list[str] = []
    errors: list[FieldError] = []
    if owner.node_name:
        chosen.append("`nodeName`")
        errors += required_text(owner.node_name, dns1123_subdomain, f"{path}.nodeName")
    elif owner.node_name is not None:
        errors.append(invalid(f"{path}.nodeName", "", empty))
    selector: NodeSelector | None = owner.node_selector
    if selector is not None:
        chosen.append("`nodeSelector`")
        errors += validate_node_selector(selector, f"{path}.nodeSelector")
    if owner.all_nodes:
        chosen.append("`allNodes`")
    elif owner.all_nodes is False:
        errors.append(invalid(f"{path}.allNodes", False, _ALL_OR_UNSET))
    return chosen, errors


def _validate_counter_set(counters: CounterSet, path: str) -> list[FieldError]:
    return _validate_counters(counters.name, f"{path}.name", counters.counters, path)


def _validate_consumption(consumption: DeviceCounterConsumption, path: str) -> list[FieldError]:
    return _validate_counters(consumption.counter_set, f"{path}.counterSet", consumption.counters, path)


def _validate_counters(name: str, name_path: str, counters: Mapping[str, Counter], path: str) -> list[FieldError]:
    errors = obeys(name, dns1123_label, name_path) if name else [required(name_path)]
    where = f"{path}.counters"
    if not counters:
        return [*errors, required(where)]
    if surplus := at_most(counters, _MOST_COUNTERS, where):
        return errors + surplus
    return errors + [
        error
        for counter in counters
        for error in obeys(counter, dns1123_label, f"{where}[{devices.shortened(counter, _LABEL_LIMIT)}]")
    ]


def _validate_device(device: Device, before: Device | None, path: str, *, own_place: bool) -> list[FieldError]:
    errors = obeys(device.name, dns1123_label, f"{path}.name")
    features = len(device.attributes) + len(device.capacity)
    if features > _MOST_FEATURES:
        detail = f"the total number of attributes and capacities must not exceed {_MOST_FEATURES}"
        errors.append(invalid(path, features, detail))
    for name, attribute in device.attributes.items():
        where = f"{path}.attributes[{devices.shortened(name, _FEATURE_LIMIT)}]"
        errors += devices.attribute_name(name, where) + _validate_attribute(attribute, where)
    for name, capacity in device.capacity.items():
        where = f"{path}.capacity[{devices.shortened(name, _FEATURE_LIMIT)}]"
        errors += devices.attribute_name(name, where)
        errors += _validate_capacity(capacity, where, shared=bool(device.allow_multiple_allocations))
    if before is None or before.taints != device.taints:
        errors += few(device.taints, _MOST_TAINTS, devices.validate_taint, f"{path}.taints")
    errors += _validate_consumptions(device, f"{path}.consumesCounters")
    errors += _validate_own_place(device, path, own_place=own_place)
    return errors + devices.validate_binding(device.binding_conditions, device.binding_failure_conditions, path)


def _validate_consumptions(device: Device, path: str) -> list[FieldError]:
    if surplus := at_most(device.consumes_counters, _MOST_CONSUMPTIONS, path):
        return surplus
    errors = each(device.consumes_counters, _validate_consumption, path)
    return errors + no_twins((item.counter_set for item in device.consumes_counters), path)


def _validate_own_place(device: Device, path: str, *, own_place: bool) -> list[FieldError]:
    """Where a device is reached is said by the slice, or the slice leaves it to each device."""
    if not own_place:
        if device.node_name is None and device.node_selector is None and device.all_nodes is None:
            return []
        detail = (
            "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true "
            "in the ResourceSlice spec"
        )
        return [invalid(path, None, detail)]
    chosen, errors = _validate_nodes(device, path, "must not be empty")
    rule = f"exactly one of {_PLACE} is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
    if not chosen:
        errors.append(required(path, rule))
    elif len(chosen) > 1:
        errors.append(invalid(path, f"{{{', '.join(chosen)}}}", rule))
    return errors


def _validate_attribute(attribute: DeviceAttribute, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if attribute.string is not None:
        errors += no_longer(attribute.string, _VALUE_LIMIT, f"{path}.string")
    if attribute.version is not None:
        where = f"{path}.version"
        if not _version.fullmatch(attribute.version):
            errors.append(invalid(where, attribute.version, _NOT_A_VERSION))
        errors += no_longer(attribute.version, _VALUE_LIMIT, where)
    given: dict[str, Any] = {
        "IntValue": attribute.int_,
        "BoolValue": attribute.bool_,
        "StringValue": attribute.string,
        "VersionValue": attribute.version,
    }
    count = sum(each is not None for each in given.values())
    if count != 1:
        errors.append(invalid(path, given if count else "", "exactly one value must be specified"))
    return errors


def _validate_capacity(capacity: DeviceCapacity, path: str, *, shared: bool) -> list[FieldError]:
    policy, where = capacity.request_policy, f"{path}.requestPolicy"
    if policy is None:
        return []
    if not shared:
        return [forbidden_field(where, "allowMultipleAllocations must be true")]
    if policy.valid_values and policy.valid_range is not None:
        detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
        return [forbidden_field(where, detail)]
    return _validate_policy(policy, capacity.value or "0", where)


def _validate_policy(policy: CapacityRequestPolicy, whole: Quantity, path: str) -> list[FieldError]:
    if policy.valid_values:
        if policy.default is None:
            return [required(f"{path}.default", "required when validValues is defined")]
        return _validate_choices(policy.default, whole, policy.valid_values, f"{path}.validValues")
    if policy.valid_range is not None:
        if policy.default is None:
            return [required(f"{path}.default", "required when validRange is defined")]
        return _validate_range(policy.default, whole, policy.valid_range, f"{path}.validRange")
    return []


def _validate_choices(default: Quantity, whole: Quantity, choices: list[Quantity], path: str) -> list[FieldError]:
    errors = [
        invalid(f"{path}[{index + 1}]", after, "values must be sorted in ascending order")
        for index, (before, after) in enumerate(zip(choices, choices[1:], strict=False))
        if compare(before, after) > 0
    ]
    if surplus := at_most(choices, _MOST_CHOICES, path):
        errors += surplus
    else:
        detail = f"option is larger than capacity value: {whole}"
        errors += [
            invalid(f"{path}[{index}]", choice, detail)
            for index, choice in enumerate(choices)
            if compare(choice, whole) > 0
        ]
        errors += no_twins((str(value(choice)) for choice in choices), path)
    if all(compare(choice, default) for choice in choices):
        errors.append(invalid(path, default, "default value is not valid according to the requestPolicy"))
    return errors


def _validate_range(
    default: Quantity, whole: Quantity, span: CapacityRequestPolicyRange, path: str
) -> list[FieldError]:
    low, high = span.min, span.max
    if low is None:
        return [required(f"{path}.min", "required when validRange is defined")]
    errors: list[FieldError] = []
    if compare(low, whole) > 0:
        errors.append(invalid(f"{path}.min", low, f"min is larger than capacity value: {whole}"))
    if compare(default, low) < 0:
        errors.append(invalid(f"{path}.min", default, f"default is less than min: {low}"))
    if high is not None:
        if compare(low, high) > 0:
            errors.append(invalid(f"{path}.max", low, f"min is larger than max: {high}"))
        if compare(high, whole) > 0:
            errors.append(invalid(f"{path}.max", high, f"max is larger than capacity value: {whole}"))
        if compare(default, high) > 0:
            errors.append(invalid(f"{path}.max", default, f"default is more than max: {high}"))
    if span.step is not None:
        errors += _validate_step(span.step, low, [default] if high is None else [default, high], whole, f"{path}.step")
    return errors


def _validate_step(step: Quantity, low: Quantity, ends: list[Quantity], whole: Quantity, path: str) -> list[FieldError]:
    """One step fits into the whole, and steps lead from the low end to the others."""
    first = add(low, step)
    errors: list[FieldError] = []
    if compare(first, whole) > 0:
        errors.append(invalid(path, step, f"one step {first} is larger than capacity value: {whole}"))
    if not value(step):
        return [*errors, invalid(path, step, "must be greater than zero")]
    detail = f"value is not a multiple of a given step ({step}) from ({low})"
    return errors + [invalid(path, end, detail) for end in ends if (value(end) - value(low)) % value(step)]
