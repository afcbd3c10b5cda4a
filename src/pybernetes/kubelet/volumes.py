"""Brings a pod's volumes about on this node and keeps those up to date that show API data.

In: the pod and the objects it refers to. Out: a path of the node for each volume. The preparation calls it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from pybernetes.api.quantity import value
from pybernetes.api.status import StatusError
from pybernetes.api.types.authentication_v1 import BoundObjectReference, TokenRequestSpec
from pybernetes.api.types.core_v1 import (
    EmptyDirVolumeSource,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    ServiceAccountTokenProjection,
    Volume,
)
from pybernetes.client import Client, Unreachable
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.atomic_files import write_files
from pybernetes.kubelet.decide.environment import Sources, Unresolvable
from pybernetes.kubelet.decide.payload import Projection, files_of, projection_of, token_file, token_parts
from pybernetes.kubelet.decide.times import SECOND, nanoseconds, parse_time
from pybernetes.kubelet.host_path import host_path
from pybernetes.kubelet.mounting import is_mounted, mount_points_below, mount_tmpfs, unmount
from pybernetes.kubelet.options import KubeletOptions

TOKEN_SECONDS = 3600
# A token is renewed when a fifth of its life is left, and at least daily.
RENEW_AT, RENEW_LIMIT = 0.8, 24 * 3600


class Volumes:
    """The volumes of all pods of this node."""

    def __init__(self, options: KubeletOptions, client: Client, clock: Clock) -> None:
        self._options = options
        self._client = client
        self._clock = clock
        self._tokens: dict[tuple[str, str, int], tuple[str, int]] = {}  # (uid, audience, life) -> token, renew at

    def pod_dir(self, uid: str) -> Path:
        return self._options.pods_dir / uid

    async def set_up(self, pod: Pod, sources: Sources) -> dict[str, Path]:
        """Volume name -> path. `Unresolvable` names the volume that cannot be made."""
        paths: dict[str, Path] = {}
        for volume in pod.spec.volumes:
            try:
                paths[volume.name] = await self._set_up(pod, volume, sources)
            except (Unresolvable, OSError, ValueError) as error:
                raise Unresolvable(f'MountVolume.SetUp failed for volume "{volume.name}" : {error}') from error
        return paths

    def next_renewal(self, uid: str) -> int:
        """When the first of a pod's tokens has to be renewed (nanoseconds); 0: it has none."""
        return min((renew for (whose, _, _), (_, renew) in self._tokens.items() if whose == uid), default=0)

    async def tear_down(self, uid: str) -> None:
        """Removes everything that was made for the pod."""
        self._tokens = {key: token for key, token in self._tokens.items() if key[0] != uid}
        for root in {self.pod_dir(uid), self._payload_root(uid)}:
            # What is mounted there is not ours to remove: a part of somebody's volume, for one.
            for place in mount_points_below(root):
                unmount(place)
            if not mount_points_below(root):
                await asyncio.to_thread(shutil.rmtree, root, True)

    async def _set_up(self, pod: Pod, volume: Volume, sources: Sources) -> Path:
        uid = pod.metadata.uid or ""
        projection = projection_of(volume)
        if projection is not None:
            return await self._write(pod, volume, projection, sources)
        if volume.empty_dir is not None:
            place = self.pod_dir(uid) / "volumes" / "kubernetes.io~empty-dir" / volume.name
            return _empty_dir(place, volume.empty_dir, _group(pod))
        if volume.host_path is not None:
            return host_path(volume.host_path)
        if volume.persistent_volume_claim is not None:
            return await self._claimed(pod, volume.persistent_volume_claim.claim_name)
        raise Unresolvable("this kind of volume is not supported by this node")

    async def _write(self, pod: Pod, volume: Volume, projection: Projection, sources: Sources) -> Path:
        files = files_of(pod, projection, sources)
        for part in token_parts(projection):
            token = await self._token(pod, part)
            files[part.path] = token_file(pod, token, projection.default_mode)
        place = self._payload_root(pod.metadata.uid or "") / "volumes" / f"{_sort(volume)}" / volume.name
        stamp = self._clock.now().strftime("%Y_%m_%d_%H_%M_%S")
        write_files(place, files, stamp, _group(pod))
        return place

    def _payload_root(self, uid: str) -> Path:
        root = self._options.secret_dir
        return root / uid if root is not None else self.pod_dir(uid)

    async def _token(self, pod: Pod, part: ServiceAccountTokenProjection) -> str:
        uid = pod.metadata.uid or ""
        life = part.expiration_seconds or TOKEN_SECONDS
        key = (uid, part.audience or "", life)
        now = nanoseconds(self._clock.now())
        known = self._tokens.get(key)
        if known is not None and now < known[1]:
            return known[0]
        bound = BoundObjectReference(kind="Pod", api_version="v1", name=pod.metadata.name, uid=uid)
        audiences = [part.audience] if part.audience else []
        spec = TokenRequestSpec(audiences=audiences, expiration_seconds=life, bound_object_ref=bound)
        account = pod.spec.service_account_name or "default"
        try:
            answer = await self._client.create_token(account, pod.metadata.namespace or "", spec)
        except (StatusError, Unreachable) as error:
            raise Unresolvable(f"failed to fetch token: {error}") from error
        expires = parse_time(answer.status.expiration_timestamp) or now + life * SECOND
        renew = now + min(int((expires - now) * RENEW_AT), RENEW_LIMIT * SECOND)
        token = answer.status.token or ""
        self._tokens[key] = (token, renew)
        return token

    async def _claimed(self, pod: Pod, name: str) -> Path:
        """The place of a claim's volume, where that is a place of this node."""
        try:
            claim = await self._client.get(PersistentVolumeClaim, name, pod.metadata.namespace or "")
            if claim.status.phase != "Bound" or not claim.spec.volume_name:
                raise Unresolvable(f'persistentvolumeclaim "{name}" is not bound')
            volume = await self._client.get(PersistentVolume, claim.spec.volume_name)
        except (StatusError, Unreachable) as error:
            raise Unresolvable(str(error)) from error
        reference = volume.spec.claim_ref
        if reference is None or reference.uid != claim.metadata.uid:
            raise Unresolvable(f'persistentvolume "{volume.metadata.name}" is not bound to claim "{name}"')
        if volume.spec.host_path is not None:
            return host_path(volume.spec.host_path)
        if volume.spec.local is not None:
            return Path(volume.spec.local.path)
        raise Unresolvable("this kind of persistent volume is not supported by this node")


def _group(pod: Pod) -> int | None:
    context = pod.spec.security_context
    return context.fs_group if context is not None else None


def _sort(volume: Volume) -> str:
    if volume.secret is not None:
        return "kubernetes.io~secret"
    if volume.config_map is not None:
        return "kubernetes.io~configmap"
    return "kubernetes.io~downward-api" if volume.downward_api is not None else "kubernetes.io~projected"


def _empty_dir(place: Path, source: EmptyDirVolumeSource, group: int | None) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    if source.medium == "Memory" and not is_mounted(place):
        mount_tmpfs(place, value(source.size_limit) if source.size_limit else 0)
    if group is not None:
        os.chown(place, -1, group)
    place.chmod(0o777 if group is None else 0o2777)
    return place
