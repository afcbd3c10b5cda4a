"""Informers of custom resources, started and stopped as their definitions come and go.

CustomResourceDefinitions flow in through an informer; `Listener` is told of kinds and of the objects' metadata. The
garbage collector is the listener.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Protocol

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.partial import custom_kind
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.controllers.context import ControllerContext
from pybernetes.reconcile import Informer

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who wants to know of custom kinds; called from the event loop, never awaited."""

    def kind_added(self, kind: Kind) -> None: ...

    def kind_synced(self, kind: Kind, uids: frozenset[str]) -> None: ...

    def kind_removed(self, kind: Kind) -> None: ...

    def changed(self, kind: Kind, old: ApiObject | None, new: ApiObject | None) -> None: ...


@dataclass
class _Followed:
    kind: Kind
    uid: str
    task: asyncio.Task[None]


def is_same(one: Kind, other: Kind) -> bool:
    """Whether two rows reach the same objects by the same path."""
    return (one.path_prefix, one.resource, one.name, one.namespaced) == (
        other.path_prefix,
        other.resource,
        other.name,
        other.namespaced,
    )


class CustomKinds:
    """Follows every established definition; `run` until cancelled."""

    def __init__(
        self, context: ControllerContext, definitions: Informer[CustomResourceDefinition], to: Listener
    ) -> None:
        self._context = context
        self._definitions = definitions
        self._to = to
        self._changes: asyncio.Queue[str] = asyncio.Queue()
        self._followed: dict[str, _Followed] = {}
        definitions.on_change(self._definition_changed)

    def _definition_changed(self, old: ApiObject | None, new: ApiObject | None) -> None:
        obj = new or old
        if obj is not None:
            self._changes.put_nowait(obj.metadata.name or "")

    async def run(self) -> None:
        """Starts and stops informers until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._look(await self._changes.get(), tasks)

    def _look(self, name: str, tasks: asyncio.TaskGroup) -> None:
        definition = self._definitions.cache.get("", name)
        kind = custom_kind(definition) if definition is not None else None
        uid = definition.metadata.uid or "" if definition is not None else ""
        followed = self._followed.get(name)
        if followed is not None:
            if followed.uid == uid and kind is not None and is_same(followed.kind, kind):
                return
            followed.task.cancel()
            del self._followed[name]
            if followed.uid != uid:
                self._to.kind_removed(followed.kind)
        if kind is not None:
            self._to.kind_added(kind)
            task = tasks.create_task(self._follow(kind), name=f"informer {name}")
            self._followed[name] = _Followed(kind, uid, task)

    async def _follow(self, kind: Kind) -> None:
        context = self._context
        informer: Informer[Any] = Informer(context.client, kind.type, context.clock, context.chance)
        informer.on_change(lambda old, new: self._to.changed(kind, old, new))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(informer.run())
            await informer.wait_synced()
            self._to.kind_synced(kind, frozenset(obj.metadata.uid or "" for obj in informer.cache.list()))
