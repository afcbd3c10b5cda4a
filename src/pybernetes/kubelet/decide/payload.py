"""Which files a volume made of API data holds, and which objects it is made from; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pybernetes.api.types.core_v1 import (
    ConfigMap,
    ConfigMapProjection,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
    KeyToPath,
    Pod,
    SecretProjection,
    ServiceAccountTokenProjection,
    Volume,
    VolumeProjection,
)
from pybernetes.kubelet.decide.environment import Sources, Unresolvable
from pybernetes.kubelet.decide.fields import pod_field, resource_field
from pybernetes.kubelet.decide.observed import all_containers

DEFAULT_MODE = 0o644


@dataclass(frozen=True, slots=True)
class File:
    """One file of a volume."""

    content: bytes
    mode: int = DEFAULT_MODE
    owner: int | None = None  # a user's number; None: the kubelet's own


@dataclass(frozen=True)
class Projection:
    """The parts that a volume is made of, each either from API objects or a token."""

    sources: tuple[VolumeProjection, ...]
    default_mode: int


def projection_of(volume: Volume) -> Projection | None:
    """A volume of any kind that is made of API data as projected sources; None for other volumes."""
    if volume.projected is not None:
        return Projection(tuple(volume.projected.sources), _mode(volume.projected.default_mode))
    if volume.config_map is not None:
        config = volume.config_map
        source = VolumeProjection(
            config_map=ConfigMapProjection(name=config.name, items=config.items, optional=config.optional)
        )
        return Projection((source,), _mode(config.default_mode))
    if volume.secret is not None:
        secret = volume.secret
        source = VolumeProjection(
            secret=SecretProjection(name=secret.secret_name, items=secret.items, optional=secret.optional)
        )
        return Projection((source,), _mode(secret.default_mode))
    if volume.downward_api is not None:
        fields = volume.downward_api
        return Projection(
            (VolumeProjection(downward_api=DownwardAPIProjection(items=fields.items)),), _mode(fields.default_mode)
        )
    return None


def _mode(mode: int | None) -> int:
    return DEFAULT_MODE if mode is None else mode


def token_parts(projection: Projection) -> list[ServiceAccountTokenProjection]:
    """The service-account tokens that a volume holds."""
    return [part.service_account_token for part in projection.sources if part.service_account_token is not None]


def token_file(pod: Pod, token: str, mode: int) -> File:
    """A token as a file: for its user alone where all containers run as one, and the group with `fsGroup`."""
    context = pod.spec.security_context
    user = _common_user(pod)
    if user is not None or (context is not None and context.fs_group is not None):
        mode = 0o600
    return File(token.encode(), mode, user)


def _common_user(pod: Pod) -> int | None:
    """The user that every container of the pod is told to run as; None when they differ or nothing is told."""
    whole = pod.spec.security_context.run_as_user if pod.spec.security_context is not None else None
    users: set[int | None] = set()
    for container in all_containers(pod):
        own = container.security_context.run_as_user if container.security_context is not None else None
        users.add(whole if own is None else own)
    return users.pop() if len(users) == 1 else None


def files_of(pod: Pod, projection: Projection, sources: Sources) -> dict[str, File]:
    """Relative path -> file, but for tokens. `Unresolvable` when something that is not optional is missing."""
    files: dict[str, File] = {}
    mode = projection.default_mode
    for source in projection.sources:
        if source.config_map is not None:
            config = source.config_map
            data = _config_data(sources.config_maps.get(config.name or ""))
            found = _select(data, config.items, mode, (f'configmap "{config.name}"', bool(config.optional)))
            files.update(found)
        if source.secret is not None:
            named = source.secret
            secret = sources.secrets.get(named.name or "")
            found = _select(
                secret.data if secret else None, named.items, mode, (f'secret "{named.name}"', bool(named.optional))
            )
            files.update(found)
        if source.downward_api is not None:
            files.update(_downward(pod, source.downward_api.items, mode, sources))
    return files


def _config_data(config: ConfigMap | None) -> dict[str, bytes] | None:
    if config is None:
        return None
    return {**{name: text.encode() for name, text in config.data.items()}, **config.binary_data}


def _select(
    data: Mapping[str, bytes] | None, items: Iterable[KeyToPath], mode: int, what: tuple[str, bool]
) -> dict[str, File]:
    name, optional = what
    if data is None:
        if optional:
            return {}
        raise Unresolvable(f"{name} not found")
    chosen = list(items)
    if not chosen:
        return {key: File(value, mode) for key, value in data.items()}
    files = {}
    for item in chosen:
        if item.key not in data:
            if optional:
                continue
            raise Unresolvable(f"references non-existent {name.partition(' ')[0]} key: {item.key}")
        files[item.path] = File(data[item.key], mode if item.mode is None else item.mode)
    return files


def _downward(
    pod: Pod, items: Iterable[DownwardAPIVolumeFile], mode: int, sources: Sources
) -> Iterator[tuple[str, File]]:
    for item in items:
        text = ""
        try:
            if item.field_ref is not None:
                text = pod_field(pod, item.field_ref.field_path, sources.place)
            elif item.resource_field_ref is not None:
                selector = item.resource_field_ref
                whose = next(each for each in all_containers(pod) if each.name == selector.container_name)
                text = resource_field(whose, selector, sources.place)
        except ValueError as error:
            raise Unresolvable(str(error)) from error
        yield item.path, File(text.encode(), mode if item.mode is None else item.mode)


@dataclass(frozen=True)
class Needed:
    """Names of the objects in the pod's namespace that something is made from."""

    config_maps: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()


def needed(pod: Pod) -> Needed:
    """All ConfigMaps and Secrets that the pod's volumes and containers refer to."""
    configs: set[str] = set()
    secrets: set[str] = set()
    for volume in pod.spec.volumes:
        projection = projection_of(volume)
        for source in projection.sources if projection else ():
            if source.config_map is not None:
                configs.add(source.config_map.name or "")
            if source.secret is not None:
                secrets.add(source.secret.name or "")
    for container in all_containers(pod):
        for origin in container.env_from:
            if origin.config_map_ref is not None:
                configs.add(origin.config_map_ref.name or "")
            if origin.secret_ref is not None:
                secrets.add(origin.secret_ref.name or "")
        for variable in container.env:
            if variable.value_from is None:
                continue
            if variable.value_from.config_map_key_ref is not None:
                configs.add(variable.value_from.config_map_key_ref.name or "")
            if variable.value_from.secret_key_ref is not None:
                secrets.add(variable.value_from.secret_key_ref.name or "")
    secrets.update(each.name or "" for each in pod.spec.image_pull_secrets)
    return Needed(frozenset(configs - {""}), frozenset(secrets - {""}))
