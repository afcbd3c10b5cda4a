"""What every controller is given: the way to the API server, the shared informers, time, chance, events and the
options.

Built by the composition root (or a test), read by the controllers' constructors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import EventRecorder, Informers


@dataclass(frozen=True)
class ControllerOptions:
    """What upstream's flags set; times in seconds, sizes as prefix lengths."""

    cluster_cidr: str = ""  # such as 10.244.0.0/16; empty: nodes get no podCIDR from here
    node_cidr_mask_size: int = 24
    service_cluster_ip_range: str = ""
    node_monitor_grace_period: float = 50.0
    node_startup_grace_period: float = 60.0
    terminated_pod_gc_threshold: int = 12500
    root_ca: str = ""  # PEM, published as kube-root-ca.crt
    service_account_key: str = field(default="", repr=False)  # PEM; empty: no legacy tokens are made
    cluster_signing_certificate: str = ""  # PEM of the authority that signs certificate signing requests
    cluster_signing_key: str = field(default="", repr=False)  # PEM; empty: nothing is signed
    cluster_signing_duration: int = 365 * 24 * 3600  # the longest life of what it signs
    remove_host_path: Callable[[str], None] | None = None  # deletes files; None: there are none, as in a simulation


class Recorders:
    """One event recorder per component name; `run` keeps all of them writing."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._recorders: dict[str, EventRecorder] = {}
        self._to_start: asyncio.Queue[EventRecorder] = asyncio.Queue()

    def of(self, component: str) -> EventRecorder:
        """The recorder of a component such as `deployment-controller`; the same one each time."""
        recorder = self._recorders.get(component)
        if recorder is None:
            recorder = self._recorders[component] = EventRecorder(self._client, self._clock, component)
            self._to_start.put_nowait(recorder)
        return recorder

    async def run(self) -> None:
        """Runs all recorders, those asked for later too, until cancelled. Call it once."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                recorder = await self._to_start.get()
                tasks.create_task(recorder.run(), name="events")


@dataclass(frozen=True)
class ControllerContext:
    """The surroundings of a controller."""

    client: Client
    informers: Informers
    clock: Clock
    chance: Chance
    recorders: Recorders
    options: ControllerOptions = field(default_factory=ControllerOptions)
