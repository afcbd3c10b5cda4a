"""Rules for Ingresses and IngressClasses: hosts, paths, and the backends that they lead to."""

from __future__ import annotations

from pybernetes.api.ip_addresses import ip_address, is_ip_address
from pybernetes.api.names import (
    dns1123_label,
    dns1123_subdomain,
    path_segment_name,
    port_name,
    port_number,
    wildcard_dns1123_subdomain,
)
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import TypedLocalObjectReference
from pybernetes.api.types.networking_v1 import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressClassParametersReference,
    IngressServiceBackend,
    IngressTLS,
)
from pybernetes.apiserver.resources.validation.domain_path import validate_domain_path
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.texts import (
    empty_or_obeys,
    no_longer,
    none_or_obeys,
    obeys,
    required_text,
)

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_NO_ENDS = ("/..", "/.")
_SCOPES = ("Cluster", "Namespace")
_CONTROLLER_LIMIT = 250
_NOT_A_NAME = "must be a DNS name, not an IP address"


def validate_ingress(ingress: Ingress) -> list[FieldError]:
    errors = _validate_spec(ingress)
    named, class_name = ingress.metadata.annotations.get(_CLASS_ANNOTATION), ingress.spec.ingress_class_name
    if named is not None and class_name is not None and named != class_name:
        detail = "must match `ingressClassName` when both are specified"
        errors.append(invalid(f"annotations.{_CLASS_ANNOTATION}", named, detail))
    return errors


def validate_ingress_update(new: Ingress, _old: Ingress) -> list[FieldError]:
    return _validate_spec(new)


def validate_ingress_status(new: Ingress, _old: Ingress) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, point in enumerate(new.status.load_balancer.ingress):
        path = f"status.loadBalancer.ingress[{index}]"
        errors += empty_or_obeys(point.ip, ip_address, f"{path}.ip")
        if point.hostname:
            errors += obeys(point.hostname, dns1123_subdomain, f"{path}.hostname")
            if is_ip_address(point.hostname):
                errors.append(invalid(f"{path}.hostname", point.hostname, _NOT_A_NAME))
    return errors


def _validate_spec(ingress: Ingress) -> list[FieldError]:
    spec = ingress.spec
    errors: list[FieldError] = []
    if spec.default_backend is None and not spec.rules:
        detail = "either `defaultBackend` or `rules` must be specified"
        errors.append(invalid("spec", None, detail))
    if spec.default_backend is not None:
        errors += _validate_backend(spec.default_backend, "spec.defaultBackend")
    for index, rule in enumerate(spec.rules):
        path = f"spec.rules[{index}]"
        if rule.host:
            if is_ip_address(rule.host):
                errors.append(invalid(f"{path}.host", rule.host, _NOT_A_NAME))
            errors += _validate_host(rule.host, f"{path}.host")
        if rule.http is not None:
            if not rule.http.paths:
                errors.append(required(f"{path}.http.paths"))
            errors += each(rule.http.paths, _validate_path, f"{path}.http.paths")
    errors += each(spec.tls, _validate_tls, "spec.tls")
    return errors + none_or_obeys(spec.ingress_class_name, dns1123_subdomain, "spec.ingressClassName")


def _validate_host(host: str, path: str) -> list[FieldError]:
    rule = wildcard_dns1123_subdomain if "*" in host else dns1123_subdomain
    return obeys(host, rule, path)


def _validate_tls(tls: IngressTLS, path: str) -> list[FieldError]:
    errors = each(tls.hosts, _validate_host, f"{path}.hosts")
    name = tls.secret_name
    return errors + empty_or_obeys(name, dns1123_subdomain, f"{path}.secretName")


def _validate_path(entry: HTTPIngressPath, path: str) -> list[FieldError]:
    kind, value, where = entry.path_type, entry.path or "", f"{path}.path"
    if not kind:
        return [required(f"{path}.pathType", "pathType must be specified")]
    errors: list[FieldError] = []
    if kind not in _PATH_TYPES:
        errors.append(not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    elif (kind != "ImplementationSpecific" or value) and not value.startswith("/"):
        errors.append(invalid(where, value, "must be an absolute path"))
    if kind in ("Exact", "Prefix"):
        errors += [invalid(where, value, f"must not contain '{part}'") for part in _NOT_IN_PATHS if part in value]
        errors += [invalid(where, value, f"cannot end with '{end}'") for end in _NO_ENDS if value.endswith(end)]
    return errors + _validate_backend(entry.backend, f"{path}.backend")


def _validate_backend(backend: IngressBackend, path: str) -> list[FieldError]:
    if backend.resource is not None and backend.service is not None:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if backend.resource is not None:
        return _validate_reference(backend.resource, f"{path}.resource")
    if backend.service is None:
        return [invalid(path, "", "resource or service backend is required")]
    return _validate_service(backend.service, path)


def _validate_service(service: IngressServiceBackend, path: str) -> list[FieldError]:
    name, port, where = service.name, service.port, f"{path}.service"
    errors = required_text(name, dns1123_label, f"{where}.name")
    if port.name and port.number:
        errors.append(invalid(path, "", "cannot set both port name & port number"))
    elif port.name:
        errors += obeys(port.name, port_name, f"{where}.port.name")
    elif port.number:
        errors += obeys(port.number, port_number, f"{where}.port.number")
    else:
        errors.append(required(path, "port name or number is required"))
    return errors


def _validate_reference(
    reference: TypedLocalObjectReference | IngressClassParametersReference, path: str
) -> list[FieldError]:
    errors: list[FieldError] = []
    group = reference.api_group
    errors += none_or_obeys(group, dns1123_subdomain, f"{path}.apiGroup")
    for name, value in (("kind", reference.kind), ("name", reference.name)):
        if not value:
            errors.append(required(f"{path}.{name}", f"{name} is required"))
        errors += empty_or_obeys(value, path_segment_name, f"{path}.{name}")
    return errors


def validate_ingress_class(ingress_class: IngressClass) -> list[FieldError]:
    controller, path = ingress_class.spec.controller or "", "spec.controller"
    errors = no_longer(controller, _CONTROLLER_LIMIT, path)
    errors += validate_domain_path(controller, path) if controller else [required(path)]
    parameters = ingress_class.spec.parameters
    return errors + (_validate_parameters(parameters, "spec.parameters") if parameters is not None else [])


def _validate_parameters(parameters: IngressClassParametersReference, path: str) -> list[FieldError]:
    errors = _validate_reference(parameters, path)
    scope, namespace, where = parameters.scope, parameters.namespace, f"{path}.namespace"
    if scope is None:
        return [*errors, required(f"{path}.scope")]
    if scope not in _SCOPES:
        return [*errors, not_supported(f"{path}.scope", scope, _SCOPES)]
    if scope == "Cluster":
        detail = "`parameters.scope` is set to 'Cluster'"
        return errors + ([forbidden_field(where, detail)] if namespace is not None else [])
    if namespace is None:
        return [*errors, required(where, "`parameters.scope` is set to 'Namespace'")]
    return errors + obeys(namespace, dns1123_label, where)


def validate_ingress_class_update(new: IngressClass, old: IngressClass) -> list[FieldError]:
    return immutable(new.spec.controller, old.spec.controller, "spec.controller") + validate_ingress_class(new)
