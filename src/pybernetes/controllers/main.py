"""Running the controllers: a table of names, and one call that runs any of them in one process over shared informers.

The composition root builds a `ControllerContext` and calls `run_controllers`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from pybernetes.client import Client
from pybernetes.controllers.clusterroleaggregation import ClusterRoleAggregationController
from pybernetes.controllers.context import ControllerContext, ControllerOptions, Recorders
from pybernetes.controllers.cronjob import CronJobController
from pybernetes.controllers.csrapproving import CSRApprovingController
from pybernetes.controllers.csrcleaner import CSRCleanerController
from pybernetes.controllers.csrsigning import CSRSigningController
from pybernetes.controllers.daemonset import DaemonSetController
from pybernetes.controllers.deployment import DeploymentController
from pybernetes.controllers.disruption import DisruptionController
from pybernetes.controllers.endpoints import EndpointsController
from pybernetes.controllers.endpointslice import EndpointSliceController
from pybernetes.controllers.endpointslicemirroring import EndpointSliceMirroringController
from pybernetes.controllers.ephemeralvolume import EphemeralVolumeController
from pybernetes.controllers.garbagecollector import GarbageCollector
from pybernetes.controllers.horizontalpodautoscaler import HorizontalPodAutoscalerController
from pybernetes.controllers.job import JobController
from pybernetes.controllers.legacy_token_cleaner import LegacyTokenCleaner
from pybernetes.controllers.namespace import NamespaceController
from pybernetes.controllers.nodeipam import NodeIpamController
from pybernetes.controllers.nodelifecycle import NodeLifecycleController
from pybernetes.controllers.persistentvolume import VolumeBinder
from pybernetes.controllers.podgc import PodGarbageCollector
from pybernetes.controllers.protection import (
    AttributesProtectionController,
    ClaimProtectionController,
    VolumeProtectionController,
)
from pybernetes.controllers.replicaset import ReplicaSetController
from pybernetes.controllers.replicationcontroller import ReplicationControllerController
from pybernetes.controllers.resourcequota import ResourceQuotaController
from pybernetes.controllers.rootca import RootCACertificatePublisher
from pybernetes.controllers.serviceaccount import ServiceAccountController
from pybernetes.controllers.serviceaccount_token import ServiceAccountTokenController
from pybernetes.controllers.servicecidr import ServiceCIDRController
from pybernetes.controllers.statefulset import StatefulSetController
from pybernetes.controllers.tainteviction import TaintEvictionController
from pybernetes.controllers.ttl import TTLController
from pybernetes.controllers.ttlafterfinished import TTLAfterFinishedController
from pybernetes.controllers.validatingadmissionpolicystatus import ValidatingAdmissionPolicyStatusController
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import Informers

log = logging.getLogger(__name__)


class Runnable(Protocol):
    """A controller."""

    async def run(self) -> None: ...


class ControllerClass(Protocol):
    """How a controller is made."""

    def __call__(self, context: ControllerContext) -> Runnable: ...


CONTROLLERS: Mapping[str, ControllerClass] = {
    "serviceaccount-token-controller": ServiceAccountTokenController,
    "endpoints-controller": EndpointsController,
    "endpointslice-controller": EndpointSliceController,
    "endpointslice-mirroring-controller": EndpointSliceMirroringController,
    "replicationcontroller-controller": ReplicationControllerController,
    "pod-garbage-collector-controller": PodGarbageCollector,
    "resourcequota-controller": ResourceQuotaController,
    "namespace-controller": NamespaceController,
    "serviceaccount-controller": ServiceAccountController,
    "garbage-collector-controller": GarbageCollector,
    "daemonset-controller": DaemonSetController,
    "job-controller": JobController,
    "deployment-controller": DeploymentController,
    "replicaset-controller": ReplicaSetController,
    "horizontal-pod-autoscaler-controller": HorizontalPodAutoscalerController,
    "disruption-controller": DisruptionController,
    "statefulset-controller": StatefulSetController,
    "cronjob-controller": CronJobController,
    "certificatesigningrequest-signing-controller": CSRSigningController,
    "certificatesigningrequest-approving-controller": CSRApprovingController,
    "certificatesigningrequest-cleaner-controller": CSRCleanerController,
    "ttl-controller": TTLController,
    "node-ipam-controller": NodeIpamController,
    "node-lifecycle-controller": NodeLifecycleController,
    "taint-eviction-controller": TaintEvictionController,
    "persistentvolume-binder-controller": VolumeBinder,
    "clusterrole-aggregation-controller": ClusterRoleAggregationController,
    "ttl-after-finished-controller": TTLAfterFinishedController,
    "persistentvolumeclaim-protection-controller": ClaimProtectionController,
    "persistentvolume-protection-controller": VolumeProtectionController,
    "volumeattributesclass-protection-controller": AttributesProtectionController,
    "root-ca-certificate-publisher-controller": RootCACertificatePublisher,
    "ephemeral-volume-controller": EphemeralVolumeController,
    "legacy-serviceaccount-token-cleaner-controller": LegacyTokenCleaner,
    "validatingadmissionpolicy-status-controller": ValidatingAdmissionPolicyStatusController,
    "service-cidr-controller": ServiceCIDRController,
}


def make_context(
    client: Client, clock: Clock, chance: Chance, options: ControllerOptions | None = None
) -> ControllerContext:
    """The surroundings with informers and recorders of their own."""
    informers = Informers(client, clock, chance)
    return ControllerContext(client, informers, clock, chance, Recorders(client, clock), options or ControllerOptions())


async def run_controllers(context: ControllerContext, names: Iterable[str] = tuple(CONTROLLERS)) -> None:
    """Runs the named controllers until cancelled; KeyError for a name that the table does not have."""
    controllers = {name: CONTROLLERS[name](context) for name in names}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(context.informers.run(), name="informers")
        tasks.create_task(context.recorders.run(), name="events")
        for name, controller in controllers.items():
            tasks.create_task(controller.run(), name=name)
        log.info("%d controllers are running", len(controllers))
