"""ServiceAccount: every pod gets an account, its token and its pull secrets.

A pod on its way to the store comes in; the account's name, the volume `kube-api-access-...` with a token, the cluster's
certificate and the namespace, and the account's imagePullSecrets are filled in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from pybernetes.api.types.core_v1 import (
    ConfigMapProjection,
    Container,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
    EphemeralContainer,
    KeyToPath,
    LocalObjectReference,
    ObjectFieldSelector,
    Pod,
    ProjectedVolumeSource,
    ServiceAccount,
    ServiceAccountTokenProjection,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write, refusal
from pybernetes.apiserver.pod_references import MIRROR, referenced
from pybernetes.apiserver.reader import Reader
from pybernetes.environment.chance import Chance

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_ENFORCED = "kubernetes.io/enforce-mountable-secrets"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_PREFIX = "kube-api-access-"
# The extra seconds tell the API server that a kubelet asks, see `service_account_tokens`.
_TOKEN_SECONDS = 3607
# A namespace's default account is made by a controller right after the namespace, so it is worth a second's patience.
_ATTEMPTS = 10
_PAUSE_SECONDS = 0.1


class ServiceAccountAdmission(Bystander):
    """Fills in new pods."""

    name = "ServiceAccount"
    repeats = True
    resources = frozenset({"pods"})

    def __init__(self, reader: Reader, chance: Chance) -> None:
        self._reader = reader
        self._chance = chance

    def handles(self, request: AdmissionRequest) -> bool:
        # An ephemeral container may refer to secrets as well.
        pods = ("", "pods")
        return is_write(request, *pods, ("CREATE",)) or is_write(request, *pods, ("UPDATE",), "ephemeralcontainers")

    async def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod) or MIRROR in pod.metadata.annotations or request.operation != "CREATE":
            return
        spec = pod.spec
        spec.service_account_name = spec.service_account_name or spec.service_account or "default"
        spec.service_account = spec.service_account_name
        account = await self._account(request, spec.service_account_name)
        if _automounts(pod, account):
            self._mount(request, pod)
        if not spec.image_pull_secrets:
            spec.image_pull_secrets = [LocalObjectReference(name=item.name) for item in account.image_pull_secrets]

    async def _account(self, request: AdmissionRequest, name: str) -> ServiceAccount:
        for attempt in range(_ATTEMPTS if name == "default" else 1):
            if attempt:
                await asyncio.sleep(_PAUSE_SECONDS)
            account = self._reader.get(ServiceAccount, name, request.namespace)
            if account is not None:
                return account
        where = f"{request.namespace}/{name}"
        raise refusal(request, f'error looking up service account {where}: serviceaccount "{name}" not found')

    def _mount(self, request: AdmissionRequest, pod: Pod) -> None:
        spec = pod.spec
        known = next((volume.name for volume in spec.volumes if volume.name.startswith(_PREFIX)), "")
        name = known or _PREFIX + self._chance.suffix()
        mounted = [_mount_into(container, name) for container in (*spec.init_containers, *spec.containers)]
        if known:
            return
        request.drawn.append((_PREFIX, name))
        if any(mounted):
            spec.volumes = [*spec.volumes, _token_volume(name)]

    async def validate(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod):
            return
        if MIRROR in pod.metadata.annotations:
            _check_mirror(request, pod)
            return
        account = self._reader.get(ServiceAccount, pod.spec.service_account_name or "", request.namespace)
        if account is not None and account.metadata.annotations.get(_ENFORCED) in _TRUE:
            foreign = _foreign_secret(pod, account, request.subresource)
            if foreign:
                raise refusal(request, foreign)


def _check_mirror(request: AdmissionRequest, pod: Pod) -> None:
    if pod.spec.service_account_name:
        raise refusal(request, "a mirror pod may not reference service accounts")
    if referenced(pod, "secrets"):
        raise refusal(request, "a mirror pod may not reference secrets")
    if any(source.service_account_token for volume in pod.spec.volumes for source in _sources(volume)):
        raise refusal(request, "a mirror pod may not use ServiceAccountToken volume projections")


def _foreign_secret(pod: Pod, account: ServiceAccount, subresource: str) -> str:
    """What a pod refers to of secrets that are not its account's, in words; nothing when all are. Pure."""
    own = {secret.name for secret in account.secrets}
    end = f"is not allowed because service account {account.metadata.name} does not reference that"
    if subresource:
        return _foreign_in(pod.spec.ephemeral_containers, "ephemeral container", own, end)
    for volume in pod.spec.volumes:
        if volume.secret is not None and volume.secret.secret_name not in own:
            return f'volume with secret.secretName="{volume.secret.secret_name}" {end} secret'
    found = _foreign_in(pod.spec.init_containers, "init container", own, end)
    if found := found or _foreign_in(pod.spec.containers, "container", own, end):
        return found
    pulling = {secret.name for secret in account.image_pull_secrets}
    for index, secret in enumerate(pod.spec.image_pull_secrets):
        if secret.name not in pulling:
            return f'imagePullSecrets[{index}].name="{secret.name}" {end} imagePullSecret'
    return ""


def _foreign_in(
    containers: Sequence[Container | EphemeralContainer], what: str, own: Collection[str | None], end: str
) -> str:
    for container in containers:
        for variable in container.env:
            reference = variable.value_from.secret_key_ref if variable.value_from else None
            if reference is not None and reference.name not in own:
                where = f"{what} {container.name} with envVar {variable.name}"
                return f'{where} referencing secret.secretName="{reference.name}" {end} secret'
        for source in container.env_from:
            if source.secret_ref is not None and source.secret_ref.name not in own:
                where = f"{what} {container.name} with envFrom"
                return f'{where} referencing secret.secretName="{source.secret_ref.name}" {end} secret'
    return ""


def _sources(volume: Volume) -> list[VolumeProjection]:
    return volume.projected.sources if volume.projected else []


def _automounts(pod: Pod, account: ServiceAccount) -> bool:
    for choice in (pod.spec.automount_service_account_token, account.automount_service_account_token):
        if choice is not None:
            return choice
    return True


def _mount_into(container: Container, volume: str) -> bool:
    """Mounts the token volume, unless the container has something else in that place."""
    if any(mount.mount_path == MOUNT_PATH for mount in container.volume_mounts):
        return False
    mount = VolumeMount(name=volume, read_only=True, mount_path=MOUNT_PATH)
    container.volume_mounts = [*container.volume_mounts, mount]
    return True


def _token_sources() -> list[VolumeProjection]:
    token = ServiceAccountTokenProjection(expiration_seconds=_TOKEN_SECONDS, path="token")
    authority = ConfigMapProjection(name="kube-root-ca.crt", items=[KeyToPath(key="ca.crt", path="ca.crt")])
    field = ObjectFieldSelector(api_version="v1", field_path="metadata.namespace")
    namespace = DownwardAPIProjection(items=[DownwardAPIVolumeFile(path="namespace", field_ref=field)])
    return [
        VolumeProjection(service_account_token=token),
        VolumeProjection(config_map=authority),
        VolumeProjection(downward_api=namespace),
    ]


# The same for every pod: nothing that runs after admission changes what it finds in a volume.
_SOURCES = _token_sources()


def _token_volume(name: str) -> Volume:
    return Volume(name=name, projected=ProjectedVolumeSource(sources=list(_SOURCES), default_mode=0o644))
