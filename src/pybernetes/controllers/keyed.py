"""The frame of a controller that works on keys: a queue, workers, and the informers it waits for.

Subclasses register informer callbacks in their constructor and implement `reconcile(key)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from pybernetes.api.objects import ApiObject, Object
from pybernetes.controllers.context import ControllerContext
from pybernetes.reconcile import Controller, Informer, WorkQueue, key_of


class KeyedController(ABC):
    """`run` works until cancelled; a key whose reconcile fails comes again with back-off."""

    name: ClassVar[str]
    workers: ClassVar[int] = 5

    def __init__(self, context: ControllerContext) -> None:
        self.context = context
        self.client = context.client
        self.clock = context.clock
        self.queue = WorkQueue()
        self.informers: list[Informer[Any]] = []

    def informer(self, type_: type[Object], **selection: str) -> Informer[Object]:
        """A shared informer that `run` waits for."""
        informer = self.context.informers.of(type_, **selection)
        if informer not in self.informers:
            self.informers.append(informer)
        return informer

    def watch_own(self, type_: type[Object]) -> Informer[Object]:
        """The informer of the kind whose keys this controller works on: every change queues the object."""
        informer = self.informer(type_)
        informer.on_change(self._enqueue_either)
        return informer

    def enqueue(self, obj: ApiObject) -> None:
        self.queue.add(key_of(obj))

    def _enqueue_either(self, old: ApiObject | None, new: ApiObject | None) -> None:
        obj = new or old
        if obj is not None:
            self.enqueue(obj)

    @abstractmethod
    async def reconcile(self, key: str) -> float | None:
        """Makes one object as it should be; seconds until it wants to look again, or None."""

    async def run(self) -> None:
        """Works until cancelled."""
        await Controller(self.name, self.reconcile, self.queue, self.workers, self.informers).run()
