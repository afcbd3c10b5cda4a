"""Rows of what makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs and their like. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pybernetes.api import labels, time
from pybernetes.api.types.apps_v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from pybernetes.api.types.autoscaling_v1 import Scale
from pybernetes.api.types.batch_v1 import CronJob, Job
from pybernetes.api.types.core_v1 import ReplicationController
from pybernetes.apiserver.printing.cells import (
    NONE,
    UNSET,
    age,
    columns,
    containers,
    duration,
    name,
    shown_labels,
    shown_selector,
    since,
)

_WIDE = ("*Containers", "*Images", "*Selector")
DEPLOYMENT_COLUMNS = columns("Name", "Ready", "Up-to-date", "Available", "Age", *_WIDE)
REPLICA_SET_COLUMNS = columns("Name", "Desired:integer", "Current:integer", "Ready:integer", "Age", *_WIDE)
STATEFUL_SET_COLUMNS = columns("Name", "Ready", "Age", "*Containers", "*Images")
DAEMON_SET_COLUMNS = columns(
    "Name",
    "Desired:integer",
    "Current:integer",
    "Ready:integer",
    "Up-to-date:integer",
    "Available:integer",
    "Node Selector",
    "Age",
    *_WIDE,
)
CONTROLLER_REVISION_COLUMNS = columns("Name", "Controller", "Revision", "Age")
JOB_COLUMNS = columns("Name", "Status", "Completions", "Duration", "Age", *_WIDE)
CRON_JOB_COLUMNS = columns(
    "Name", "Schedule", "Timezone", "Suspend:boolean", "Active:integer", "Last Schedule", "Age", *_WIDE
)
SCALE_COLUMNS = columns("Name", "Desired:integer", "Available:integer", "Age")
SCALE_COLUMNS[0]["format"] = ""
_JOB_CONDITIONS = ("Complete", "Failed", "", "Suspended", "FailureTarget", "SuccessCriteriaMet")


def deployment_row(deployment: Deployment, now: datetime) -> list[Any]:
    """The cells of a Deployment."""
    spec, status = deployment.spec, deployment.status
    return [
        name(deployment),
        f"{status.ready_replicas or 0}/{spec.replicas or 0}",
        status.updated_replicas or 0,
        status.available_replicas or 0,
        age(deployment, now),
        *containers(spec.template.spec.containers),
        str(labels.from_label_selector(spec.selector)),
    ]


def replica_set_row(replica_set: ReplicaSet, now: datetime) -> list[Any]:
    """The cells of a ReplicaSet."""
    spec, status = replica_set.spec, replica_set.status
    counts = [spec.replicas or 0, status.replicas, status.ready_replicas or 0]
    wide = [*containers(spec.template.spec.containers), shown_selector(spec.selector)]
    return [name(replica_set), *counts, age(replica_set, now), *wide]


def replication_controller_row(controller: ReplicationController, now: datetime) -> list[Any]:
    """The cells of a ReplicationController."""
    spec, status = controller.spec, controller.status
    counts = [spec.replicas or 0, status.replicas, status.ready_replicas or 0]
    items = spec.template.spec.containers if spec.template is not None else []
    return [name(controller), *counts, age(controller, now), *containers(items), shown_labels(spec.selector)]


def stateful_set_row(stateful_set: StatefulSet, now: datetime) -> list[Any]:
    """The cells of a StatefulSet."""
    spec, status = stateful_set.spec, stateful_set.status
    ready = f"{status.ready_replicas or 0}/{spec.replicas or 0}"
    return [name(stateful_set), ready, age(stateful_set, now), *containers(spec.template.spec.containers)]


def daemon_set_row(daemon_set: DaemonSet, now: datetime) -> list[Any]:
    """The cells of a DaemonSet."""
    spec, status = daemon_set.spec, daemon_set.status
    return [
        name(daemon_set),
        status.desired_number_scheduled,
        status.current_number_scheduled,
        status.number_ready,
        status.updated_number_scheduled or 0,
        status.number_available or 0,
        shown_labels(spec.template.spec.node_selector),
        age(daemon_set, now),
        *containers(spec.template.spec.containers),
        shown_selector(spec.selector),
    ]


def controller_revision_row(revision: ControllerRevision, now: datetime) -> list[Any]:
    """The cells of a ControllerRevision."""
    owner = next((item for item in revision.metadata.owner_references if item.controller), None)
    controller = NONE
    if owner is not None:
        group = owner.api_version.rpartition("/")[0]
        controller = f"{owner.kind}.{group}/".lower() + owner.name if group else f"{owner.kind.lower()}/{owner.name}"
    return [name(revision), controller, revision.revision, age(revision, now)]


def job_row(job: Job, now: datetime) -> list[Any]:
    """The cells of a Job."""
    spec = job.spec
    return [
        name(job),
        _job_status(job),
        _completions(job),
        _job_duration(job, now),
        age(job, now),
        *containers(spec.template.spec.containers),
        shown_selector(spec.selector),
    ]


def _job_status(job: Job) -> str:
    holds = {item.type for item in job.status.conditions if item.status == "True"}
    for condition in _JOB_CONDITIONS:
        if not condition and job.metadata.deletion_timestamp:
            return "Terminating"
        if condition in holds:
            return condition
    return "Running"


def _completions(job: Job) -> str:
    spec, succeeded = job.spec, job.status.succeeded or 0
    if spec.completions is not None:
        return f"{succeeded}/{spec.completions}"
    parallelism = spec.parallelism or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(job: Job, now: datetime) -> str:
    status = job.status
    if not status.start_time:
        return ""
    end = time.parse(status.completion_time) if status.completion_time else now
    return duration(end - time.parse(status.start_time))


def cron_job_row(cron_job: CronJob, now: datetime) -> list[Any]:
    """The cells of a CronJob."""
    spec, status = cron_job.spec, cron_job.status
    job = spec.job_template.spec
    return [
        name(cron_job),
        spec.schedule,
        spec.time_zone if spec.time_zone is not None else NONE,
        UNSET if spec.suspend is None else str(spec.suspend),
        len(status.active),
        since(status.last_schedule_time, now) if status.last_schedule_time else NONE,
        age(cron_job, now),
        *containers(job.template.spec.containers),
        shown_selector(job.selector),
    ]


def scale_row(scale: Scale, now: datetime) -> list[Any]:
    """The cells of a Scale."""
    return [name(scale), scale.spec.replicas or 0, scale.status.replicas, age(scale, now)]
