"""Rules for environment variables and for what containers may see of their pod (fields, limits and requests)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pybernetes.api.names import config_map_key, dns1123_label, dns1123_subdomain, env_var_name, qualified_name
from pybernetes.api.names import masked_generate_name as masked
from pybernetes.api.quantity import amount, canonical
from pybernetes.api.status import FieldError, invalid, not_found_field, not_supported, required
from pybernetes.api.types.core_v1 import (
    Container,
    EnvFromSource,
    EnvVar,
    EphemeralContainer,
    FileKeySelector,
    ObjectFieldSelector,
    ResourceFieldSelector,
    Volume,
)
from pybernetes.apiserver.resources.validation.paths import no_backsteps
from pybernetes.apiserver.resources.validation.texts import empty_or_obeys, obeys, required_text

_VARIABLE_FIELDS = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"}
    | {"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}
)
_VOLUME_FIELDS = frozenset({"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace"})
_VOLUME_FIELDS |= {"metadata.uid"}
_KNOWN_FIELDS = _VARIABLE_FIELDS | _VOLUME_FIELDS | {"spec.restartPolicy", "status.phase", "spec.schedulerName"}
_SUBSCRIPT = re.compile(r"(.+?)\['(.*)'\]", re.DOTALL)
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
# By the resource's name after "limits." or "requests.": the divisors, and how complaints call the resource.
_DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1", "cpu"),
    "memory": (_SIZES, ", ".join(_SIZES), "memory"),
    "ephemeral-storage": (_SIZES, ", ".join(_SIZES), "local ephemeral storage"),
    "hugepages": (_SIZES, ", ".join(_SIZES), "hugepages"),
}
_SOURCES = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"


def validate_variables(variables: Sequence[EnvVar], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        where = f"{path}[{index}]"
        errors += required_text(variable.name, env_var_name, f"{where}.name")
        if variable.value_from is not None:
            errors += _validate_source(variable, f"{where}.valueFrom")
    return errors


def _validate_source(variable: EnvVar, path: str) -> list[FieldError]:
    source = variable.value_from
    assert source is not None
    errors: list[FieldError] = []
    if source.field_ref is not None:
        errors += validate_field_ref(source.field_ref, f"{path}.fieldRef", in_volume=False)
    if source.resource_field_ref is not None:
        errors += validate_resource_ref(source.resource_field_ref, f"{path}.resourceFieldRef", in_volume=False)
    for name, reference in (("configMapKeyRef", source.config_map_key_ref), ("secretKeyRef", source.secret_key_ref)):
        if reference is not None:
            errors += _key_of(reference.name or "", reference.key, f"{path}.{name}")
    if source.file_key_ref is not None:
        errors += _file_key(source.file_key_ref, f"{path}.fileKeyRef")
    given = (source.field_ref, source.resource_field_ref, source.config_map_key_ref, source.secret_key_ref)
    count = sum(each is not None for each in (*given, source.file_key_ref))
    if count == 0:
        errors.append(invalid(path, "", f"must specify one of: {_SOURCES}"))
    elif variable.value:
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def _key_of(name: str, key: str, path: str) -> list[FieldError]:
    """A key of a ConfigMap or Secret."""
    errors = obeys(name, dns1123_subdomain, f"{path}.name")
    if not key:
        return [*errors, required(f"{path}.key")]
    return errors + obeys(key, config_map_key, f"{path}.key")


def _file_key(source: FileKeySelector, path: str) -> list[FieldError]:
    """A variable that an init container wrote into a file."""
    errors: list[FieldError] = []
    for name, value, rule in (("key", source.key, env_var_name), ("volumeName", source.volume_name, dns1123_label)):
        errors += required_text(value, rule, f"{path}.{name}")
    return errors + (no_backsteps(source.path, f"{path}.path") if source.path else [required(f"{path}.path")])


def validate_file_volumes(
    container: Container | EphemeralContainer, volumes: Mapping[str, Volume], path: str
) -> list[FieldError]:
    """Files with variables lie in volumes that the pod's own containers fill."""
    errors: list[FieldError] = []
    for index, variable in enumerate(container.env):
        source = variable.value_from.file_key_ref if variable.value_from is not None else None
        if source is None:
            continue
        where = f"{path}.env[{index}].valueFrom.fileKeyRef.volumeName"
        volume = volumes.get(source.volume_name)
        if volume is None:
            errors.append(not_found_field(where, source.volume_name))
        elif volume.empty_dir is None:
            errors.append(invalid(where, source.volume_name, "referenced volume must be of type emptyDir"))
    return errors


def validate_field_ref(reference: ObjectFieldSelector, path: str, *, in_volume: bool) -> list[FieldError]:
    """A field of the pod that a container may see."""
    where = f"{path}.fieldPath"
    name = reference.field_path
    if not reference.api_version:
        return [required(f"{path}.apiVersion")]
    if not name:
        return [required(where)]
    if reference.api_version != "v1":
        detail = f"error converting fieldPath: unsupported pod version: {reference.api_version}"
        return [invalid(where, name, detail)]
    if subscripted := _SUBSCRIPT.fullmatch(name):
        return _validate_subscript(name, subscripted[1], subscripted[2], path)
    if name not in _KNOWN_FIELDS and name != "spec.host":
        return [invalid(where, name, f"error converting fieldPath: field label not supported: {name}")]
    allowed = _VOLUME_FIELDS if in_volume else _VARIABLE_FIELDS
    name = "spec.nodeName" if name == "spec.host" else name
    return [] if name in allowed else [not_supported(where, name, sorted(allowed))]


def _validate_subscript(name: str, base: str, key: str, path: str) -> list[FieldError]:
    if base not in ("metadata.annotations", "metadata.labels"):
        detail = f"error converting fieldPath: field label does not support subscript: {name}"
        return [invalid(f"{path}.fieldPath", name, detail)]
    key = key.lower() if base == "metadata.annotations" else key
    return obeys(key, qualified_name, path)


def validate_resource_ref(reference: ResourceFieldSelector, path: str, *, in_volume: bool) -> list[FieldError]:
    """A limit or request that a container may see, and the unit it is told in."""
    resource = reference.resource
    kind, _, name = resource.partition(".")
    pages = kind in ("limits", "requests") and name.startswith("hugepages-")
    errors: list[FieldError] = []
    if in_volume and not reference.container_name:
        errors.append(required(f"{path}.containerName"))
    elif not resource:
        errors.append(required(f"{path}.resource"))
    elif resource not in _RESOURCES and not pages:
        errors.append(not_supported(f"{path}.resource", resource, _RESOURCES))
    known = _DIVISORS.get("hugepages" if pages else name) if pages or resource in _RESOURCES else None
    if known is None or reference.divisor is None or amount(reference.divisor).nano == 0:
        return errors
    divisors, listed, called = known
    if canonical(reference.divisor) not in divisors:
        detail = f"only divisor's values {listed} are supported with the {called} resource"
        errors.append(invalid(f"{path}.divisor", resource, detail))
    return errors


def validate_variables_from(given: Sequence[EnvFromSource], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, source in enumerate(given):
        where = f"{path}[{index}]"
        errors += empty_or_obeys(source.prefix, env_var_name, f"{where}.prefix")
        references = (("configMapRef", source.config_map_ref), ("secretRef", source.secret_ref))
        for field, reference in references:
            if reference is None:
                continue
            name = reference.name
            if not name:
                errors.append(required(f"{where}.{field}.name"))
            else:
                errors += [invalid(f"{where}.{field}.name", name, text) for text in dns1123_subdomain(masked(name))]
        count = sum(reference is not None for _, reference in references)
        if count == 0:
            errors.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif count > 1:
            errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors
