"""The control plane of a local cluster but for the API server, in one process: two cores mean two busy processes.

Scheduler, controller manager and cloud controller manager each have their own identity and connections. The add-ons
are made sure of here, too.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Awaitable, Callable

from pybernetes.api.status import StatusError
from pybernetes.client import Unreachable
from pybernetes.cluster.addons import ensure_addons
from pybernetes.cluster.cloud_process import run_cloud
from pybernetes.cluster.connection import connected
from pybernetes.cluster.controller_manager_process import run_controller_manager
from pybernetes.cluster.controller_rights import ensure_controller_rights
from pybernetes.cluster.health_port import CONTROLLER_MANAGER_PORT, SCHEDULER_PORT, serving_health
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.marking import mark_control_plane
from pybernetes.cluster.scheduler_process import run_scheduler
from pybernetes.cluster.state import read_spec
from pybernetes.controllers.context import ControllerOptions
from pybernetes.controllers.host_path_removal import remove_host_path
from pybernetes.controllers.main import CONTROLLERS
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.reconcile.backoff import Backoff

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this process, which only `pyb up` starts."""
    parser.add_argument("--cluster-name", required=True)


async def run(arguments: argparse.Namespace) -> None:
    """Controls until cancelled."""
    layout = Layout(arguments.cluster_name)
    spec = read_spec(layout)
    assert spec is not None
    settings = ControllerOptions(
        cluster_cidr=spec.pod_cidr,
        service_cluster_ip_range=spec.service_cidr,
        root_ca=(layout.pki / "ca.crt").read_text(),
        service_account_key=(layout.pki / "sa.key").read_text(),
        cluster_signing_certificate=(layout.pki / "ca.crt").read_text(),
        cluster_signing_key=(layout.pki / "ca.key").read_text(),
        remove_host_path=remove_host_path,
    )
    async with (
        connected(layout.kubeconfig("scheduler"), "kube-scheduler") as scheduler,
        connected(layout.kubeconfig("controller-manager"), "kube-controller-manager") as manager,
        connected(layout.kubeconfig("cloud-controller-manager"), "cloud-controller-manager") as cloud,
        connected(layout.kubeconfig("addon-manager"), "addon-manager") as admin,
        serving_health("kube-scheduler", SCHEDULER_PORT, SystemClock()),
        serving_health("kube-controller-manager", CONTROLLER_MANAGER_PORT, SystemClock()),
        asyncio.TaskGroup() as tasks,
    ):
        await persistently("rights of the controllers", lambda: ensure_controller_rights(admin))
        tasks.create_task(run_controller_manager(manager, settings, tuple(CONTROLLERS)), name="controller-manager")
        tasks.create_task(run_scheduler(scheduler, SystemClock(), Chance()), name="scheduler")
        tasks.create_task(run_cloud(cloud, spec), name="cloud-controller-manager")
        master, dns = spec.control_plane.name, spec.dns_address
        tasks.create_task(persistently("role of the node", lambda: mark_control_plane(admin, master)), name="mark")
        tasks.create_task(persistently("add-ons", lambda: ensure_addons(admin, dns)), name="add-ons")
        notify_ready()


async def persistently(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Does something once, however often the API server has to be asked: no refusal ends the controllers beside it."""
    backoff = Backoff(Chance())
    while True:
        try:
            return await work()
        except (StatusError, Unreachable) as error:
            _log.warning("%s: %s; another try follows", what, error)
        await asyncio.sleep(backoff.next())
