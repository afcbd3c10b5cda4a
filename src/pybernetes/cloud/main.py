"""Running the cloud controllers in one process over shared informers. The composition root calls
`run_cloud_controllers`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from pybernetes.client import Client
from pybernetes.cloud.context import CloudContext
from pybernetes.cloud.node import CloudNodeController
from pybernetes.cloud.nodelifecycle import CloudNodeLifecycleController
from pybernetes.cloud.provider import CloudProvider
from pybernetes.cloud.route import RouteController
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import Informers


class Runnable(Protocol):
    """A controller."""

    async def run(self) -> None: ...


class ControllerClass(Protocol):
    """How a cloud controller is made."""

    def __call__(self, context: CloudContext) -> Runnable: ...


CONTROLLERS: Mapping[str, ControllerClass] = {
    "cloud-node-controller": CloudNodeController,
    "cloud-node-lifecycle-controller": CloudNodeLifecycleController,
    "node-route-controller": RouteController,
}


def make_context(
    client: Client, clock: Clock, chance: Chance, provider: CloudProvider, cluster_cidr: str = ""
) -> CloudContext:
    """The surroundings with informers of their own."""
    return CloudContext(client, Informers(client, clock, chance), clock, provider, cluster_cidr)


async def run_cloud_controllers(context: CloudContext, names: Iterable[str] = tuple(CONTROLLERS)) -> None:
    """Runs the named controllers until cancelled; KeyError for a name that the table does not have."""
    controllers = {name: CONTROLLERS[name](context) for name in names}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(context.informers.run(), name="informers")
        for name, controller in controllers.items():
            tasks.create_task(controller.run(), name=name)
