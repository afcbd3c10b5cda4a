"""Brings one pod's status to the API server: the newest one wins, one request at a time, repeated until it is there.

Pod workers hand statuses in; a strategic merge patch of the status sub-resource goes out.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pybernetes.api.objects import to_builtins
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Pod, PodStatus
from pybernetes.client.client import Client
from pybernetes.client.errors import Unreachable
from pybernetes.client.patch_type import PatchType

log = logging.getLogger(__name__)

_MERGED_LISTS = ("podIPs", "hostIPs")


class StatusWriter:
    """Writes the status of the pod that it was made for."""

    def __init__(self, client: Client, group: asyncio.TaskGroup) -> None:
        self._client = client
        self._group = group
        self._wanted: tuple[Pod, PodStatus] | None = None
        self._task: asyncio.Task[None] | None = None
        self._written: Pod | None = None  # as the API server answered

    def write(self, pod: Pod, status: PodStatus) -> None:
        """Hands a status over; returns at once."""
        if self._task is None or self._task.done():
            if not status_patch(self._known(pod), status):
                return
            self._task = self._group.create_task(self._send_all(), name=f"status of {pod.metadata.name}")
        self._wanted = (pod, status)

    async def flushed(self) -> None:
        """Returns when everything handed over has been written, or the pod is no more."""
        if self._task is not None:
            await asyncio.wait({self._task})

    def _known(self, pod: Pod) -> PodStatus:
        """What the API server has: its answer to our last write, unless the informer has brought something newer.

        Others write statuses too (a node that was not heard of has its pods marked as not ready), so our own last
        write is not the truth for ever.
        """
        if self._written is not None and _revision(self._written) > _revision(pod):
            return self._written.status
        return pod.status

    async def _send_all(self) -> None:
        delay = 0.2
        while self._wanted is not None:
            pod, status = self._wanted
            self._wanted = None
            try:
                await self._send(pod, status)
                delay = 0.2
            except Unreachable as error:
                log.info("status of pod %s/%s not written: %s", pod.metadata.namespace, pod.metadata.name, error)
                self._wanted = self._wanted or (pod, status)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 10.0)

    async def _send(self, pod: Pod, status: PodStatus) -> None:
        meta = pod.metadata
        changes = status_patch(self._known(pod), status)
        if not changes:
            return
        patch = {"metadata": {"uid": meta.uid}, "status": changes}
        try:
            self._written = await self._client.patch(
                Pod, meta.name or "", meta.namespace or "", patch, PatchType.STRATEGIC, subresource="status"
            )
        except StatusError as error:
            # Gone, or another pod of the same name: nobody is interested in this status any more.
            if error.code in (404, 409):
                return
            log.warning("status of pod %s/%s refused: %s", meta.namespace, meta.name, error)
            if error.code >= 500 or error.code == 429:
                raise Unreachable(str(error)) from error


def _revision(pod: Pod) -> int:
    version = pod.metadata.resource_version or ""
    return int(version) if version.isdecimal() else 0


def status_patch(old: PodStatus, new: PodStatus) -> dict[str, Any]:
    """The strategic merge patch that makes `new` out of `old`; conditions merge by type, the rest is replaced."""
    before: dict[str, Any] = to_builtins(old)
    after: dict[str, Any] = to_builtins(new)
    patch: dict[str, Any] = {}
    for name in {**before, **after}:
        was, is_ = before.get(name), after.get(name)
        if was == is_:
            continue
        if name == "conditions":
            patch[name] = _changed_conditions(was or [], is_ or [])
        elif name in _MERGED_LISTS and was:
            patch[name] = [{"$patch": "replace"}, *(is_ or [])]
        else:
            patch[name] = is_
    return patch


def _changed_conditions(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A null for each field that a condition no longer has, or the merge would leave it."""
    before = {each["type"]: each for each in was}
    return [{**dict.fromkeys(before.get(each["type"], ())), **each} for each in now if each not in was]
