"""`describe` of what makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs and CronJobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pybernetes.api import time
from pybernetes.api.types.apps_v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from pybernetes.api.types.batch_v1 import CronJob, Job
from pybernetes.api.types.core_v1 import Pod
from pybernetes.kubectl.describe.template import describe_template
from pybernetes.kubectl.describe.writing import (
    Writing,
    controller,
    moment,
    selector_text,
    write_annotations,
    write_map,
)
from pybernetes.kubectl.durations import human


def phases(pods: Iterable[Pod]) -> str:
    """How many pods are in which phase."""
    count = Counter(pod.status.phase for pod in pods)
    return (
        f"{count['Running']} Running / {count['Pending']} Waiting / "
        f"{count['Succeeded']} Succeeded / {count['Failed']} Failed"
    )


def describe_deployment(writing: Writing, deployment: Deployment, sets: Sequence[ReplicaSet]) -> None:
    """All but the events; `sets` are its ReplicaSets, the newest revision last."""
    metadata, spec, status = deployment.metadata, deployment.spec, deployment.status
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    writing.pair("CreationTimestamp", moment(metadata.creation_timestamp))
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    writing.pair("Selector", selector_text(spec.selector))
    writing.pair(
        "Replicas",
        f"{spec.replicas or 0} desired | {status.updated_replicas or 0} updated | {status.replicas or 0} total | "
        f"{status.available_replicas or 0} available | {status.unavailable_replicas or 0} unavailable",
    )
    writing.pair("StrategyType", spec.strategy.type or "")
    writing.pair("MinReadySeconds", spec.min_ready_seconds or 0)
    if (rolling := spec.strategy.rolling_update) is not None:
        text = f"{rolling.max_unavailable} max unavailable, {rolling.max_surge} max surge"
        writing.pair("RollingUpdateStrategy", text)
    describe_template(writing, spec.template)
    if status.conditions:
        writing.line("Conditions:")
        writing.line("Type\tStatus\tReason", 1)
        writing.line("----\t------\t------", 1)
        for condition in status.conditions:
            writing.line(f"{condition.type} \t{condition.status}\t{condition.reason or ''}", 1)
    new = _newest(deployment, sets)
    writing.pair("OldReplicaSets", _sets_text([item for item in sets if item is not new]))
    writing.pair("NewReplicaSet", _sets_text([new] if new else []))


def _newest(deployment: Deployment, sets: Sequence[ReplicaSet]) -> ReplicaSet | None:
    """The ReplicaSet that carries the Deployment's own revision."""
    revision = deployment.metadata.annotations.get(_REVISION)
    return next((item for item in sets if item.metadata.annotations.get(_REVISION) == revision), None)


_REVISION = "deployment.kubernetes.io/revision"


def _sets_text(sets: Sequence[ReplicaSet]) -> str:
    parts = [
        f"{item.metadata.name} ({item.status.replicas or 0}/{item.spec.replicas or 0} replicas created)"
        for item in sets
    ]
    return ", ".join(parts) or "<none>"


def describe_replica_set(writing: Writing, item: ReplicaSet, pods: Sequence[Pod]) -> None:
    """All but the events."""
    metadata = item.metadata
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    writing.pair("Selector", selector_text(item.spec.selector))
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    if owner := controller(metadata.owner_references):
        writing.pair("Controlled By", owner)
    writing.pair("Replicas", f"{item.status.replicas or 0} current / {item.spec.replicas or 0} desired")
    writing.pair("Pods Status", phases(pods))
    describe_template(writing, item.spec.template)
    if item.status.conditions:
        writing.line("Conditions:")
        writing.line("Type\tStatus\tReason", 1)
        writing.line("----\t------\t------", 1)
        for condition in item.status.conditions:
            writing.line(f"{condition.type} \t{condition.status}\t{condition.reason or ''}", 1)


def describe_stateful_set(writing: Writing, item: StatefulSet, pods: Sequence[Pod]) -> None:
    """All but the events."""
    metadata, spec = item.metadata, item.spec
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    writing.pair("CreationTimestamp", moment(metadata.creation_timestamp))
    writing.pair("Selector", selector_text(spec.selector))
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    writing.pair("Replicas", f"{spec.replicas or 0} desired | {item.status.replicas or 0} total")
    writing.pair("Update Strategy", spec.update_strategy.type or "")
    if (rolling := spec.update_strategy.rolling_update) is not None and rolling.partition is not None:
        writing.pair("Partition", rolling.partition, 1)
    writing.pair("Pods Status", phases(pods))
    describe_template(writing, spec.template)
    if not spec.volume_claim_templates:
        writing.line("Volume Claims:\t<none>")
        return
    writing.line("Volume Claims:")
    for claim in spec.volume_claim_templates:
        writing.pair("Name", claim.metadata.name, 1)
        writing.pair("StorageClass", claim.spec.storage_class_name or "", 1)
        writing.pair("Capacity", claim.spec.resources.requests.get("storage", "<default>"), 1)
        writing.pair("Access Modes", f"[{' '.join(claim.spec.access_modes)}]", 1)


def describe_daemon_set(writing: Writing, item: DaemonSet, pods: Sequence[Pod]) -> None:
    """All but the events."""
    metadata, status = item.metadata, item.status
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    writing.pair("Selector", selector_text(item.spec.selector))
    selector = ",".join(f"{key}={value}" for key, value in sorted(item.spec.template.spec.node_selector.items()))
    writing.pair("Node-Selector", selector or "<none>")
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    writing.line(f"Desired Number of Nodes Scheduled: {status.desired_number_scheduled}")
    writing.line(f"Current Number of Nodes Scheduled: {status.current_number_scheduled}")
    writing.line(f"Number of Nodes Scheduled with Up-to-date Pods: {status.updated_number_scheduled or 0}")
    writing.line(f"Number of Nodes Scheduled with Available Pods: {status.number_available or 0}")
    writing.line(f"Number of Nodes Misscheduled: {status.number_misscheduled}")
    writing.pair("Pods Status", phases(pods))
    describe_template(writing, item.spec.template)


def describe_job(writing: Writing, job: Job) -> None:
    """All but the events."""
    metadata, spec, status = job.metadata, job.spec, job.status
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    if spec.selector is not None:
        writing.pair("Selector", selector_text(spec.selector))
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    if owner := controller(metadata.owner_references):
        writing.pair("Controlled By", owner)
    for name, number in (("Parallelism", spec.parallelism), ("Completions", spec.completions)):
        writing.pair(name, "<unset>" if number is None else number)
    writing.pair("Completion Mode", spec.completion_mode or "")
    writing.pair("Suspend", "true" if spec.suspend else "false")
    writing.pair("Backoff Limit", 6 if spec.backoff_limit is None else spec.backoff_limit)
    if status.start_time:
        writing.pair("Start Time", moment(status.start_time))
    if status.completion_time:
        writing.pair("Completed At", moment(status.completion_time))
    if status.start_time and status.completion_time:
        lasted = time.parse(status.completion_time) - time.parse(status.start_time)
        writing.pair("Duration", human(lasted.total_seconds()))
    active = f"{status.active or 0} Active ({status.ready or 0} Ready)"
    writing.pair("Pods Statuses", f"{active} / {status.succeeded or 0} Succeeded / {status.failed or 0} Failed")
    describe_template(writing, spec.template)


def describe_cron_job(writing: Writing, item: CronJob) -> None:
    """All but the events."""
    metadata, spec, status = item.metadata, item.spec, item.status
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    writing.pair("Schedule", spec.schedule)
    writing.pair("Concurrency Policy", spec.concurrency_policy or "")
    writing.pair("Suspend", "True" if spec.suspend else "False")
    job = spec.job_template.spec
    for name, value in (
        ("Successful Job History Limit", spec.successful_jobs_history_limit),
        ("Failed Job History Limit", spec.failed_jobs_history_limit),
        ("Starting Deadline Seconds", _with_unit(spec.starting_deadline_seconds)),
        ("Selector", None if job.selector is None else selector_text(job.selector)),
        ("Parallelism", job.parallelism),
        ("Completions", job.completions),
    ):
        writing.pair(name, "<unset>" if value is None else value)
    describe_template(writing, job.template)
    writing.pair("Last Schedule Time", moment(status.last_schedule_time) if status.last_schedule_time else "<unset>")
    writing.pair("Active Jobs", ", ".join(job.name or "" for job in status.active) or "<none>")


def _with_unit(seconds: int | None) -> str | None:
    return None if seconds is None else f"{seconds}s"
