"""Rules for ResourceClaims, their templates, and DeviceClasses: which devices are wanted, and set up how."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.resource_v1 import (
    DeviceClaim,
    DeviceClaimConfiguration,
    DeviceClass,
    DeviceClassConfiguration,
    DeviceConstraint,
    DeviceRequest,
    DeviceSubRequest,
    ExactDeviceRequest,
    ResourceClaim,
    ResourceClaimTemplate,
)
from pybernetes.apiserver.resources.validation import devices
from pybernetes.apiserver.resources.validation.lists import at_most, each, few, no_twins
from pybernetes.apiserver.resources.validation.metadata import immutable_part
from pybernetes.apiserver.resources.validation.numbers import is_extended
from pybernetes.apiserver.resources.validation.texts import obeys, required_text
from pybernetes.apiserver.resources.validation.volumes import validate_template_metadata

_MOST_REQUESTS = 32
MOST_CONFIGURATIONS = 32
_MOST_ALTERNATIVES = 8
_MOST_CONSTRAINTS = 32
_NOT_A_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
# What a claim asks for: of each request the names of its alternatives.
Requests = Mapping[str, frozenset[str]]


def requests_of(claim: DeviceClaim) -> Requests:
    return {
        request.name: frozenset(alternative.name for alternative in request.first_available)
        for request in claim.requests
    }


def validate_claim(claim: ResourceClaim) -> list[FieldError]:
    return _validate_devices(claim.spec.devices, "spec.devices")


def validate_claim_update(new: ResourceClaim, old: ResourceClaim) -> list[FieldError]:
    return immutable_part(new.spec, old.spec, "spec")


def validate_claim_template(template: ResourceClaimTemplate) -> list[FieldError]:
    errors = validate_template_metadata(template.spec.metadata, "spec.metadata")
    return errors + _validate_devices(template.spec.spec.devices, "spec.spec.devices")


def validate_claim_template_update(new: ResourceClaimTemplate, old: ResourceClaimTemplate) -> list[FieldError]:
    return immutable_part(new.spec, old.spec, "spec")


def validate_device_class(device_class: DeviceClass) -> list[FieldError]:
    return devices.validate_selectors(device_class.spec.selectors, "spec.selectors") + _validate_setup(device_class)


def validate_device_class_update(new: DeviceClass, old: DeviceClass) -> list[FieldError]:
    """Selectors that stay as they are were sound when they came."""
    selectors = new.spec.selectors
    changed = selectors != old.spec.selectors
    errors = devices.validate_selectors(selectors, "spec.selectors") if changed else []
    return errors + _validate_setup(new)


def _validate_setup(device_class: DeviceClass) -> list[FieldError]:
    spec = device_class.spec
    errors = few(spec.config, MOST_CONFIGURATIONS, _validate_class_configuration, "spec.config")
    name = spec.extended_resource_name
    if name is not None and not is_extended(name):
        errors.append(invalid("spec.extendedResourceName", name, "must be a valid extended resource name"))
    return errors


def _validate_class_configuration(configuration: DeviceClassConfiguration, path: str) -> list[FieldError]:
    return devices.validate_configuration(configuration.opaque, path)


def _validate_devices(claim: DeviceClaim, path: str) -> list[FieldError]:
    requests = requests_of(claim)

    def constraint(item: DeviceConstraint, where: str) -> list[FieldError]:
        return _validate_constraint(item, requests, where)

    def configuration(item: DeviceClaimConfiguration, where: str) -> list[FieldError]:
        errors = validate_references(item.requests, requests, f"{where}.requests")
        return errors + devices.validate_configuration(item.opaque, where)

    where = f"{path}.requests"
    errors = at_most(claim.requests, _MOST_REQUESTS, where)
    if not errors:
        errors += each(claim.requests, _validate_request, where)
        errors += no_twins((request.name for request in claim.requests), where)
    errors += few(claim.constraints, _MOST_CONSTRAINTS, constraint, f"{path}.constraints")
    return errors + few(claim.config, MOST_CONFIGURATIONS, configuration, f"{path}.config")


def _validate_request(request: DeviceRequest, path: str) -> list[FieldError]:
    errors = obeys(request.name, dns1123_label, f"{path}.name")
    rule = "exactly one of `exactly` or `firstAvailable` is required"
    alternatives = request.first_available
    if request.exactly is not None and alternatives:
        return [*errors, invalid(path, None, f"{rule}, but multiple fields are set")]
    if request.exactly is not None:
        return errors + _validate_wish(request.exactly, f"{path}.exactly")
    if not alternatives:
        return [*errors, required(path, rule)]
    where = f"{path}.firstAvailable"
    if surplus := at_most(alternatives, _MOST_ALTERNATIVES, where):
        return errors + surplus
    errors += each(alternatives, _validate_alternative, where)
    return errors + no_twins((alternative.name for alternative in alternatives), where)


def _validate_alternative(alternative: DeviceSubRequest, path: str) -> list[FieldError]:
    return obeys(alternative.name, dns1123_label, f"{path}.name") + _validate_wish(alternative, path)


def _validate_wish(wish: ExactDeviceRequest | DeviceSubRequest, path: str) -> list[FieldError]:
    errors = required_text(wish.device_class_name, dns1123_subdomain, f"{path}.deviceClassName")
    errors += devices.validate_selectors(wish.selectors, f"{path}.selectors")
    mode, count = wish.allocation_mode, wish.count or 0
    if mode == "All":
        if count:
            detail = "must not be specified when allocationMode is 'All'"
            errors.append(invalid(f"{path}.count", count, detail))
    elif mode == "ExactCount":
        if count <= 0:
            errors.append(invalid(f"{path}.count", count, "must be greater than zero"))
    else:
        errors.append(not_supported(f"{path}.allocationMode", mode, ("All", "ExactCount")))
    return errors + each(wish.tolerations, devices.validate_toleration, f"{path}.tolerations")


def validate_references(names: list[str], requests: Requests, path: str) -> list[FieldError]:
    """A list that speaks of requests of the claim."""

    def reference(name: str, where: str) -> list[FieldError]:
        return validate_reference(name, requests, where)

    return at_most(names, _MOST_REQUESTS, path) or each(names, reference, path) + no_twins(names, path)


def validate_reference(name: str, requests: Requests, path: str) -> list[FieldError]:
    """The name of a request, or of one of its alternatives as `request/alternative`."""
    parts = name.split("/")
    if len(parts) > 2:
        return [invalid(path, name, _NOT_A_REQUEST)]
    errors = [error for part in parts for error in obeys(part, dns1123_label, path)]
    known = parts[0] in requests and (len(parts) == 1 or parts[1] in requests[parts[0]])
    return errors if known else [*errors, invalid(path, name, _NOT_A_REQUEST)]


def _validate_constraint(constraint: DeviceConstraint, requests: Requests, path: str) -> list[FieldError]:
    errors = validate_references(constraint.requests, requests, f"{path}.requests")
    same, different = constraint.match_attribute, constraint.distinct_attribute
    if same is not None:
        return errors + devices.full_attribute_name(same, f"{path}.matchAttribute")
    if different is not None:
        return errors + devices.full_attribute_name(different, f"{path}.distinctAttribute")
    detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    return [*errors, required(path, detail)]
