"""What a client expects around an API server: controllers, scheduler and two nodes whose containers are simulated.

Run as a process with a kubeconfig as its argument; says READY=1 when the nodes are ready; ends at SIGTERM.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pybernetes.api.types.core_v1 import Node
from pybernetes.client import Client
from pybernetes.cluster.connection import connected
from pybernetes.cluster.running import run_until_signal
from pybernetes.cluster.scheduler_process import run_scheduler
from pybernetes.controllers.context import ControllerOptions
from pybernetes.controllers.main import make_context, run_controllers
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.simulation import simulated_kubelet
from pybernetes.reconcile import Informers

# Loopback addresses where nobody listens: who asks for logs of a simulated container must not leave the machine.
NODES = {"worker-1": "127.0.1.1", "worker-2": "127.0.1.2"}
_NO_PORT = 1
_CLUSTER_CIDR = "10.244.0.0/16"


async def run(kubeconfig: Path) -> None:
    """Runs everything until cancelled."""
    clock, chance = SystemClock(), Chance()
    authority = (kubeconfig.parent / "pki" / "ca.crt").read_text()
    options = ControllerOptions(cluster_cidr=_CLUSTER_CIDR, root_ca=authority)
    async with connected(kubeconfig, "rest") as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(run_controllers(make_context(client, clock, chance, options)))
        tasks.create_task(run_scheduler(client, clock, chance))
        for name, address in NODES.items():
            node = KubeletOptions(name, address, Path("/nonexistent"), port=_NO_PORT, simulated=True)
            tasks.create_task(simulated_kubelet(node, client, clock=clock, chance=chance).run())
        await _nodes_ready(client, clock, chance)
        notify_ready()


async def _nodes_ready(client: Client, clock: SystemClock, chance: Chance) -> None:
    """Returns when every node is ready and has its pod addresses."""
    ready = asyncio.Event()
    informers = Informers(client, clock, chance)
    nodes = informers.of(Node)

    def look(_old: Node | None, _new: Node | None) -> None:
        if len([node for node in nodes.cache.list() if _is_ready(node)]) == len(NODES):
            ready.set()

    nodes.on_change(look)
    watching = asyncio.ensure_future(informers.run())
    await ready.wait()
    watching.cancel()


def _is_ready(node: Node) -> bool:
    return bool(node.spec.pod_cidr) and any(
        each.type == "Ready" and each.status == "True" for each in node.status.conditions
    )


if __name__ == "__main__":
    sys.exit(run_until_signal(lambda: run(Path(sys.argv[1]))))
