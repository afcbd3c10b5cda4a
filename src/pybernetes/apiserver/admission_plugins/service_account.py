"""ServiceAccount: every pod gets an account, its token and its pull secrets.

A pod on its way to the store comes in; the account's name, the volume `kube-api-access-...` with a token, the cluster's
certificate and the namespace, and the account's imagePullSecrets are filled in.
"""

from __future__ import annotations

import asyncio

from pybernetes.api.types.core_v1 import (
    ConfigMapProjection,
    Container,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
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
from pybernetes.apiserver.reader import Reader
from pybernetes.environment.chance import Chance

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
MIRROR = "kubernetes.io/config.mirror"
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
        return is_write(request, "", "pods", ("CREATE",))

    async def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod) or MIRROR in pod.metadata.annotations:
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
        if not isinstance(pod, Pod) or MIRROR not in pod.metadata.annotations:
            return
        if pod.spec.service_account_name:
            raise refusal(request, "a mirror pod may not reference service accounts")
        if any(volume.secret for volume in pod.spec.volumes):
            raise refusal(request, "a mirror pod may not reference secrets")
        if any(source.service_account_token for volume in pod.spec.volumes for source in _sources(volume)):
            raise refusal(request, "a mirror pod may not use ServiceAccountToken volume projections")


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
