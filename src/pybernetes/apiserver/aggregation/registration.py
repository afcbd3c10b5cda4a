"""Which APIServices this server registers for itself, and whether another's is available. Pure.

Kinds, Services and EndpointSlices go in; APIServices and conditions come out. Called by `api_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.types.apiregistration_v1 import APIService, APIServiceCondition, APIServiceSpec
from pybernetes.api.types.core_v1 import Endpoints, Service
from pybernetes.api.types.meta_v1 import ObjectMeta

AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
# Registered when the server starts, and kept in line with the definitions of custom resources.
ON_START, ALWAYS = "onstart", "true"
_OWN_GROUP = "apiregistration.k8s.io"
_LOCAL = "Local APIServices are always available"
# Of custom resources, which give way to all else: group and version.
_CUSTOM = (1000, 100)
_GROUPS = {
    "": 18000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "resource.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100,
}
_VERSIONS = {
    ("", "v1"): 1,
    ("autoscaling", "v2"): 30,
    ("resource.k8s.io", "v1"): 20,
    ("flowcontrol.apiserver.k8s.io", "v1"): 21,
}
_VERSION = 15


def registered(kinds: Iterable[Kind]) -> dict[str, APIService]:
    """The APIServices of all group-versions that are served here, by name."""
    found: dict[str, APIService] = {}
    for kind in kinds:
        name = f"{kind.version}.{kind.group}"
        if kind.group != _OWN_GROUP and name not in found:
            found[name] = _service(kind, name)
    return found


def _service(kind: Kind, name: str) -> APIService:
    is_custom = issubclass(kind.type, CustomObject)
    priority, order = _CUSTOM
    if not is_custom:
        priority = _GROUPS.get(kind.group, min(_GROUPS.values()))
        order = _VERSIONS.get((kind.group, kind.version), _VERSION)
    return APIService(
        metadata=ObjectMeta(name=name, labels={AUTOMANAGED: ALWAYS if is_custom else ON_START}),
        spec=APIServiceSpec(
            group=kind.group or None,
            version=kind.version,
            group_priority_minimum=priority,
            version_priority=order,
        ),
    )


def local_condition(now: str) -> APIServiceCondition:
    """What is served here is always available."""
    return APIServiceCondition(
        type="Available", status="True", last_transition_time=now, reason="Local", message=_LOCAL
    )


def trouble(wanted: APIService, service: Service | None, endpoints: Endpoints | None) -> APIServiceCondition | None:
    """What keeps the server behind a Service from being asked; None when it could be asked, or is this server."""
    reference = wanted.spec.service
    if reference is None:
        return None
    shown = f'service/{reference.name} in "{reference.namespace}"'
    if service is None:
        return _unavailable("ServiceNotFound", f"{shown} is not present")
    if service.spec.type == "ExternalName":
        return None
    port = next((port for port in service.spec.ports if port.port == reference.port), None)
    if port is None:
        return _unavailable("ServicePortError", f"{shown} is not listening on port {reference.port}")
    if endpoints is None:
        return _unavailable("EndpointsNotFound", f"cannot find endpoints for {shown}")
    for subset in endpoints.subsets:
        if subset.addresses and any((own.name or "") == (port.name or "") for own in subset.ports):
            return None
    text = f'endpoints for {shown} have no addresses with port name "{port.name or ""}"'
    return _unavailable("MissingEndpoints", text)


def _unavailable(reason: str, message: str) -> APIServiceCondition:
    return APIServiceCondition(type="Available", status="False", reason=reason, message=message)


def is_told(wanted: APIService, condition: APIServiceCondition) -> bool:
    """Whether a condition stands in the status already, but for its time."""
    return any(
        (item.type, item.status, item.reason, item.message)
        == (condition.type, condition.status, condition.reason, condition.message)
        for item in wanted.status.conditions
    )
