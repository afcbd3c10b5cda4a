"""`pyb scheduler`: kube-scheduler as a process."""

from __future__ import annotations

import argparse
import asyncio

from pybernetes.client import Client
from pybernetes.cluster.connection import add_kubeconfig, connected
from pybernetes.cluster.health_port import SCHEDULER_PORT, serving_health
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock, SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.reconcile import EventRecorder, Informers
from pybernetes.scheduler.scheduler import Scheduler


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb scheduler`."""
    add_kubeconfig(parser)


async def run(arguments: argparse.Namespace) -> None:
    """Schedules until cancelled."""
    clock = SystemClock()
    async with (
        connected(arguments.kubeconfig, "kube-scheduler") as client,
        serving_health("kube-scheduler", SCHEDULER_PORT, clock),
    ):
        notify_ready()
        await run_scheduler(client, clock, Chance())


async def run_scheduler(client: Client, clock: Clock, chance: Chance) -> None:
    """The scheduler with informers and a recorder of its own, until cancelled."""
    informers = Informers(client, clock, chance)
    recorder = EventRecorder(client, clock, "default-scheduler")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run(), name="informers")
        tasks.create_task(recorder.run(), name="events")
        tasks.create_task(Scheduler(client, informers, clock, chance, recorder).run(), name="scheduler")
