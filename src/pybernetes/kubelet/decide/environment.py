"""The environment, command and arguments of a container: references resolved, `$(NAME)` expanded. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pybernetes.api.types.core_v1 import (
    ConfigMap,
    EnvFromSource,
    EnvVar,
    Pod,
    Secret,
    Service,
)
from pybernetes.kubelet.decide.fields import Place, pod_field, resource_field
from pybernetes.kubelet.decide.observed import AnyContainer, all_containers

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


class Unresolvable(Exception):
    """A reference that is not optional and leads nowhere; the text is what the status says."""


@dataclass(frozen=True)
class Sources:
    """What references lead to; None: the API server has no such object."""

    config_maps: Mapping[str, ConfigMap | None] = field(default_factory=dict)
    secrets: Mapping[str, Secret | None] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    place: Place = Place()


def environment(pod: Pod, container: AnyContainer, sources: Sources) -> dict[str, str]:
    """Names and values; later ones win, as upstream: services, envFrom, env. `Unresolvable` when one is missing."""
    linked = service_variables(pod, sources.services)
    result: dict[str, str] = {}
    for origin in container.env_from:
        result.update(_from(origin, sources))
    for variable in container.env:
        value = _value(pod, container, variable, sources)
        if value is None:
            continue
        known = {**linked, **result}
        result[variable.name] = expand(value, known) if variable.value_from is None else value
    for name, value in linked.items():
        result.setdefault(name, value)
    return result


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value, an unknown name stays as it is, `$$` becomes `$`."""

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "$"
        return values.get(name, match.group(0))

    return _REFERENCE.sub(replaced, text)


def _value(pod: Pod, container: AnyContainer, variable: EnvVar, sources: Sources) -> str | None:
    origin = variable.value_from
    if origin is None:
        return variable.value or ""
    try:
        if origin.field_ref is not None:
            return pod_field(pod, origin.field_ref.field_path, sources.place)
        if origin.resource_field_ref is not None:
            name = origin.resource_field_ref.container_name or container.name
            whose = next(each for each in all_containers(pod) if each.name == name)
            return resource_field(whose, origin.resource_field_ref, sources.place)
    except ValueError as error:
        raise Unresolvable(str(error)) from error
    if origin.config_map_key_ref is not None:
        key = origin.config_map_key_ref
        config = sources.config_maps.get(key.name or "")
        data: Mapping[str, str] | None = config.data if config is not None else None
        return _pick(data, ("ConfigMap", pod.metadata.namespace or "", key.name or ""), key.key, bool(key.optional))
    if origin.secret_key_ref is not None:
        selector = origin.secret_key_ref
        secret = sources.secrets.get(selector.name or "")
        texts = {name: _text(value) for name, value in secret.data.items()} if secret is not None else None
        where = ("Secret", pod.metadata.namespace or "", selector.name or "")
        return _pick(texts, where, selector.key, bool(selector.optional))
    return None


def _pick(data: Mapping[str, str] | None, where: tuple[str, str, str], key: str, optional: bool) -> str | None:
    kind, namespace, name = where
    if data is None:
        if optional:
            return None
        raise Unresolvable(f'{kind.lower()} "{name}" not found')
    if key not in data:
        if optional:
            return None
        raise Unresolvable(f"couldn't find key {key} in {kind} {namespace}/{name}")
    return data[key]


def _from(origin: EnvFromSource, sources: Sources) -> dict[str, str]:
    prefix = origin.prefix or ""
    data: dict[str, str] | None = {}
    what, name, optional = "", "", False
    if origin.config_map_ref is not None:
        what, name, optional = "configmap", origin.config_map_ref.name or "", bool(origin.config_map_ref.optional)
        config = sources.config_maps.get(name)
        data = dict(config.data) if config is not None else None
    elif origin.secret_ref is not None:
        what, name, optional = "secret", origin.secret_ref.name or "", bool(origin.secret_ref.optional)
        secret = sources.secrets.get(name)
        data = {key: _text(value) for key, value in secret.data.items()} if secret is not None else None
    if data is None:
        if optional:
            return {}
        raise Unresolvable(f'{what} "{name}" not found')
    return {prefix + key: value for key, value in data.items() if _ENV_NAME.fullmatch(prefix + key)}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def service_variables(pod: Pod, services: Iterable[Service]) -> dict[str, str]:
    """`NAME_SERVICE_HOST` and friends of the pod's namespace, and always of the API server's Service."""
    links = pod.spec.enable_service_links is not False
    result: dict[str, str] = {}
    for service in services:
        meta = service.metadata
        is_master = meta.namespace == "default" and meta.name == "kubernetes"
        if not is_master and not (links and meta.namespace == pod.metadata.namespace):
            continue
        if service.spec.cluster_ip in (None, "", "None"):
            continue
        result.update(_variables_of(service))
    return result


def _variables_of(service: Service) -> dict[str, str]:
    name = _upper(service.metadata.name or "")
    host = service.spec.cluster_ip or ""
    shown_host = f"[{host}]" if ":" in host else host
    ports = service.spec.ports
    result = {f"{name}_SERVICE_HOST": host}
    if ports:
        result[f"{name}_SERVICE_PORT"] = str(ports[0].port)
    for port in ports:
        if port.name:
            result[f"{name}_SERVICE_PORT_{_upper(port.name)}"] = str(port.port)
    for index, port in enumerate(ports):
        protocol = port.protocol or "TCP"
        url = f"{protocol.lower()}://{shown_host}:{port.port}"
        if index == 0:
            result[f"{name}_PORT"] = url
        prefix = f"{name}_PORT_{port.port}_{protocol}"
        result[prefix] = url
        result[f"{prefix}_PROTO"] = protocol.lower()
        result[f"{prefix}_PORT"] = str(port.port)
        result[f"{prefix}_ADDR"] = host
    return result


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
