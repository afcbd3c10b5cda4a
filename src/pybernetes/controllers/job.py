"""The Job controller: observes a Job's pods, lets `job_tally` count and `job_decision` decide, and acts.

Every finished pod passes three steps: noted in the status, rid of its finalizer, counted. Each can be repeated safely.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pybernetes.api import time as api_time
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.batch_v1 import Job, JobCondition, JobStatus
from pybernetes.api.types.core_v1 import Pod
from pybernetes.controllers import indexes
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.job_decision import Decision, End, decide, policy_actions
from pybernetes.controllers.job_tally import FINALIZER, Tally, is_indexed, is_tracked, living, tally
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.owned_pods import observe_owned
from pybernetes.controllers.ownership import claim, controller_of, decide_claims, is_alive
from pybernetes.controllers.pod_control import Failure, PodControl
from pybernetes.controllers.pod_index import controlled_by, index_by_controller, orphans_in
from pybernetes.reconcile import Expectations, key_of, split_key

_POD_KEY = "pod:"


def is_over(job: Job) -> bool:
    return any(item.type in ("Complete", "Failed") and item.status == "True" for item in job.status.conditions)


def status_of(
    job: Job, pods: Sequence[Pod], counted: Tally, conditions: list[JobCondition], now: datetime
) -> JobStatus:
    """The whole status of a Job that goes on or has just ended."""
    active = living(pods)
    complete = next((item for item in conditions if item.type == "Complete" and item.status == "True"), None)
    started = None if job.spec.suspend else job.status.start_time or api_time.format(now)
    ending = any(item.type in ("FailureTarget", "SuccessCriteriaMet") for item in conditions)
    indexed = is_indexed(job)
    return JobStatus(
        active=(0 if ending else len(active)) or None,
        ready=0 if ending else sum(pod_facts.is_ready(pod) for pod in active),
        terminating=sum(pod_facts.is_terminating(pod) for pod in pods),
        succeeded=(len(counted.completed_indexes) if indexed else counted.succeeded) or None,
        failed=counted.failed or None,
        completed_indexes=indexes.format(counted.completed_indexes) or None if indexed else None,
        failed_indexes=indexes.format(counted.failed_indexes)
        if indexed and job.spec.backoff_limit_per_index is not None
        else None,
        uncounted_terminated_pods=counted.uncounted,
        start_time=started,
        completion_time=complete.last_transition_time if complete is not None else None,
        conditions=conditions,
    )


def conditions_of(job: Job, end: End | None, all_gone: bool, now: datetime) -> list[JobCondition]:
    """First that the end is decided, then, when every pod has ended and is counted, that it is there."""
    result = list(job.status.conditions)
    if end is not None:
        target, final = ("SuccessCriteriaMet", "Complete") if end.succeeded else ("FailureTarget", "Failed")
        if not any(item.type == target for item in result):
            result.append(_condition(target, "True", end.reason, end.message, now))
        if all_gone and not any(item.type == final for item in result):
            result.append(_condition(final, "True", end.reason, end.message, now))
        return result
    suspended = next((item for item in result if item.type == "Suspended"), None)
    if job.spec.suspend and (suspended is None or suspended.status != "True"):
        result = [item for item in result if item.type != "Suspended"]
        result.append(_condition("Suspended", "True", "JobSuspended", "Job suspended", now))
    elif not job.spec.suspend and suspended is not None and suspended.status == "True":
        result = [item for item in result if item.type != "Suspended"]
        result.append(_condition("Suspended", "False", "JobResumed", "Job resumed", now))
    return result


def _condition(type_: str, status: str, reason: str, message: str, now: datetime) -> JobCondition:
    stamp = api_time.format(now)
    return JobCondition(
        type=type_, status=status, reason=reason, message=message, last_probe_time=stamp, last_transition_time=stamp
    )


class JobController(KeyedController):
    """`job-controller`; keys are Jobs, or `pod:namespace/name` for pods whose Job is gone."""

    name = "job-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of(self.name)
        self._pod_control = PodControl(context.client, self._recorder)
        self._expectations = Expectations()
        self._jobs = self.watch_own(Job)
        self._pods = self.informer(Pod)
        index_by_controller(self._pods)
        self._pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for key in observe_owned(self._expectations, "Job", old, new):
            self.queue.add(key)
        if new is not None and is_tracked(new):
            self.queue.add(_POD_KEY + key_of(new))

    async def reconcile(self, key: str) -> float | None:
        if key.startswith(_POD_KEY):
            await self._free_orphan(key.removeprefix(_POD_KEY))
            return None
        job = self._jobs.cache.get(*split_key(key))
        if job is None:
            self._expectations.forget(key)
            await self._free_pods_of(key)
            return None
        if job.spec.managed_by not in (None, "kubernetes.io/job-controller"):
            return None
        return await self._sync(key, job)

    async def _free_orphan(self, key: str) -> None:
        """A pod whose Job is gone would keep its finalizer for ever."""
        pod = self._pods.cache.get(*split_key(key))
        if pod is None or not is_tracked(pod):
            return
        owner = controller_of(pod)
        job = self._jobs.cache.get(pod.metadata.namespace or "", owner.name) if owner is not None else None
        if owner is None or job is None or job.metadata.uid != owner.uid:
            if owner is not None and await self._job_exists(pod.metadata.namespace or "", owner.name, owner.uid):
                return
            await self._release(pod)

    async def _job_exists(self, namespace: str, name: str, uid: str) -> bool:
        try:
            return (await self.client.get(Job, name, namespace)).metadata.uid == uid
        except StatusError as error:
            if error.code == 404:
                return False
            raise

    async def _free_pods_of(self, key: str) -> None:
        namespace, name = split_key(key)
        for pod in self._pods.cache.list(namespace):
            owner = controller_of(pod)
            if owner is not None and (owner.kind, owner.name) == ("Job", name) and is_tracked(pod):
                self.queue.add(_POD_KEY + key_of(pod))

    async def _sync(self, key: str, job: Job) -> float | None:
        settled = self._expectations.satisfied(key, self.clock.monotonic())
        pods = await self._claim(job)
        if is_over(job) or job.metadata.deletion_timestamp is not None:
            # Nobody counts any more: a Job that is deleted in the foreground waits for its pods to be gone.
            for pod in pods:
                await self._release(pod)
            return None
        now = self.clock.now()
        counted = tally(job, pods, policy_actions(job, pods))
        decision = decide(job, pods, counted, now)
        left = [pod for pod in pods if pod_facts.is_active(pod) or is_tracked(pod) or pod_facts.is_terminating(pod)]
        all_gone = not left and not counted.uncounted.succeeded and not counted.uncounted.failed
        conditions = conditions_of(job, decision.end, all_gone, now)
        status = status_of(job, pods, counted, conditions, now)
        await self._write_status(job, status)
        for pod in counted.release:
            await self._release(pod)
        failure = await self._carry_out(key, job, decision, settled)
        if failure is not None:
            raise failure
        return decision.again_after

    async def _claim(self, job: Job) -> list[Pod]:
        selector = from_label_selector(job.spec.selector)
        orphans = orphans_in(self._pods, job.metadata.namespace)
        children = [*controlled_by(self._pods, job.metadata.uid), *orphans]
        claims = decide_claims(job, selector.matches, children)
        return await claim(self.client, job, claims, lambda: is_alive(self.client, job))

    async def _carry_out(self, key: str, job: Job, decision: Decision, settled: bool) -> Failure | None:
        now = self.clock.monotonic()
        for pod in decision.delete:
            # What is only put off must not count as failed.
            await self._release(pod)
        doomed = [*decision.delete, *decision.abandon]
        deleted = None
        if doomed and settled:
            self._expectations.expect_deletions(key, [pod.metadata.uid or "" for pod in doomed], now)
            deleted = await self._pod_control.delete_all(
                job, doomed, lambda pod: self._expectations.deletion_observed(key, pod.metadata.uid or "")
            )
        if not decision.create or not settled:
            return deleted
        for pod in decision.create:
            pod.metadata.finalizers = [*pod.metadata.finalizers, FINALIZER]
        self._expectations.expect_creations(key, len(decision.create), now)
        created = await self._pod_control.create_all(
            job, decision.create, lambda: self._expectations.creation_observed(key)
        )
        return deleted or created

    async def _release(self, pod: Pod) -> None:
        if not is_tracked(pod):
            return
        kept = [item for item in pod.metadata.finalizers if item != FINALIZER]
        metadata = {
            "uid": pod.metadata.uid,
            "resourceVersion": pod.metadata.resource_version,
            "finalizers": kept or None,
        }
        try:
            await self.client.patch(Pod, pod.metadata.name or "", pod.metadata.namespace or "", {"metadata": metadata})
        except StatusError as error:
            # A conflict is a newer pod, whose event will bring us back here.
            if error.code not in (404, 409):
                raise

    async def _write_status(self, job: Job, status: JobStatus) -> None:
        if status == job.status:
            return
        changed = copy(job)
        changed.status = status
        await self.client.update_status(changed)
        self._tell(job, status)

    def _tell(self, job: Job, status: JobStatus) -> None:
        """One event for each condition that has just become so."""
        before = {(item.type, item.status) for item in job.status.conditions}
        for item in status.conditions:
            if (item.type, item.status) in before:
                continue
            if (item.type, item.status) == ("Complete", "True"):
                self._recorder.event(job, "Normal", "Completed", "Job completed")
            elif (item.type, item.status) == ("Failed", "True"):
                self._recorder.event(job, "Warning", item.reason or "", item.message or "")
            elif item.type == "Suspended":
                told = ("Suspended", "Job suspended") if item.status == "True" else ("Resumed", "Job resumed")
                self._recorder.event(job, "Normal", *told)
