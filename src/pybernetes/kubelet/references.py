"""What pods refer to: ConfigMaps and Secrets one by one, Services all together; each watched as long as a pod needs it.

The preparation asks; a change of a watched object is told back through a callback. A node may read no more than this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pybernetes.api.objects import ApiObject, Object
from pybernetes.api.types.core_v1 import ConfigMap, Pod, Secret, Service
from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.decide.environment import Sources, Unresolvable
from pybernetes.kubelet.decide.fields import Place
from pybernetes.kubelet.decide.payload import needed
from pybernetes.reconcile.informer import Informer, Selection

PATIENCE = 10.0  # seconds to wait for the first answer about an object

Key = tuple[type[ApiObject], str, str]


class _Watched:
    """One informer, the task that runs it, and the pods that need it."""

    def __init__(self, informer: Informer[Any], task: asyncio.Task[None]) -> None:
        self.informer = informer
        self.task = task
        self.users: set[str] = set()


class References:
    """Objects that the node's pods refer to."""

    def __init__(self, client: Client, clock: Clock, chance: Chance, changed: Callable[[set[str]], None]) -> None:
        self._client = client
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._watched: dict[Key, _Watched] = {}
        self._services: _Watched | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keeps the watches going until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.get_running_loop().create_future()

    async def sources(self, pod: Pod, place: Place) -> Sources:
        """Everything that the pod refers to, as it is now. `Unresolvable` when the API server does not say."""
        namespace, uid = pod.metadata.namespace or "", pod.metadata.uid or ""
        names = needed(pod)
        configs = {name: await self._get(ConfigMap, namespace, name, uid) for name in sorted(names.config_maps)}
        secrets = {name: await self._get(Secret, namespace, name, uid) for name in sorted(names.secrets)}
        return Sources(configs, secrets, await self._all_services(), place)

    def release(self, uid: str) -> None:
        """The pod is gone; what nobody else needs is watched no more."""
        for key, watched in list(self._watched.items()):
            watched.users.discard(uid)
            if not watched.users:
                watched.task.cancel()
                del self._watched[key]

    async def _get(self, type_: type[Object], namespace: str, name: str, uid: str) -> Object | None:
        key: Key = (type_, namespace, name)
        watched = self._watched.get(key)
        if watched is None:
            selection = Selection(namespace, field_selector=f"metadata.name={name}")
            watched = self._watched[key] = self._start(type_, selection)
            users = watched.users
            watched.informer.on_change(lambda _old, _new: self._changed(users))
        watched.users.add(uid)
        await _synced(watched, f"{type_.__name__} {namespace}/{name}")
        found: Object | None = watched.informer.cache.get(namespace, name)
        return found

    async def _all_services(self) -> tuple[Service, ...]:
        if self._services is None:
            self._services = self._start(Service, Selection())
        await _synced(self._services, "services")
        return tuple(self._services.informer.cache.list())

    def _start(self, type_: type[Object], selection: Selection) -> _Watched:
        if self._tasks is None:
            raise Unresolvable("the kubelet is starting")
        informer = Informer(self._client, type_, self._clock, self._chance, selection)
        return _Watched(informer, self._tasks.create_task(informer.run(), name=f"informer {type_.__name__}"))


async def _synced(watched: _Watched, what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await watched.informer.wait_synced()
    except TimeoutError as error:
        raise Unresolvable(f"failed to sync {what}: timed out waiting for the condition") from error
