"""The CronJob controller: makes Jobs when their time has come. `due` is the pure part; `cron` knows schedules.

Times come from timers only: each look says when the next one is wanted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pybernetes.api import cron
from pybernetes.api import time as api_time
from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.batch_v1 import CronJob, CronJobStatus, Job
from pybernetes.api.types.core_v1 import ObjectReference
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.job import is_over
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.ownership import controller_of, is_controlled_by, owner_reference
from pybernetes.controllers.pod_control import namespace_is_going
from pybernetes.controllers.pod_index import controlled_by, index_by_controller
from pybernetes.reconcile import split_key

log = logging.getLogger(__name__)

_Cached = TypeVar("_Cached", CronJob, Job)
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
TOO_MANY_MISSED = 100


@dataclass(frozen=True)
class Due:
    """`at`: the newest time that has come and has no Job yet; `again_after`: seconds until the next time."""

    at: datetime | None
    again_after: float | None
    missed: int = 0


def due(cron_job: CronJob, schedule: cron.Schedule, now: datetime) -> Due:
    """Times are in the CronJob's zone. What is older than startingDeadlineSeconds is forgotten."""
    spec = cron_job.spec
    since = api_time.parse(
        cron_job.status.last_schedule_time or cron_job.metadata.creation_timestamp or api_time.format(now)
    )
    if spec.starting_deadline_seconds is not None:
        since = max(since, now - timedelta(seconds=spec.starting_deadline_seconds))
    zone = ZoneInfo(spec.time_zone) if spec.time_zone else now.tzinfo
    local_now, moment = now.astimezone(zone), since.astimezone(zone)
    newest: datetime | None = None
    missed = 0
    while (following := schedule.after(moment)) is not None and following <= local_now:
        newest = moment = following
        missed += 1
        if missed > TOO_MANY_MISSED:
            # Long asleep: jump near to now instead of walking through months.
            moment = max(moment, local_now - timedelta(days=1))
            missed = 0 if moment > following else missed
    following = schedule.after(local_now)
    wait = (following - local_now).total_seconds() if following is not None else None
    return Due(newest, wait, missed)


def job_of(cron_job: CronJob, at: datetime) -> Job:
    """The Job of one time; its name is the minute, so that the same time never gives two."""
    template = copy(cron_job.spec.job_template)
    zone = ZoneInfo(cron_job.spec.time_zone) if cron_job.spec.time_zone else None
    stamp = at.astimezone(zone).replace(microsecond=0).isoformat() if zone else api_time.format(at)
    return Job(
        metadata=ObjectMeta(
            name=f"{cron_job.metadata.name}-{int(at.timestamp()) // 60}",
            namespace=cron_job.metadata.namespace,
            labels=template.metadata.labels,
            annotations=template.metadata.annotations | {SCHEDULED_AT: stamp},
            owner_references=[owner_reference(cron_job)],
        ),
        spec=template.spec,
    )


def superfluous(jobs: Sequence[Job], condition: str, limit: int | None) -> list[Job]:
    """The oldest Jobs that ended with this condition, beyond the limit; no limit keeps all."""
    if limit is None:
        return []
    ended = [job for job in jobs if _outcome(job) == condition]
    ended.sort(key=lambda job: (job.status.start_time or "", job.metadata.name or ""))
    return ended[: max(len(ended) - limit, 0)]


def _unknown(cron_job: CronJob, jobs: Sequence[Job]) -> list[Job]:
    """Running Jobs that the status does not name."""
    known = {reference.uid for reference in cron_job.status.active}
    return [job for job in jobs if job.metadata.uid not in known and not is_over(job)]


def _outcome(job: Job) -> str:
    ended = (
        item.type for item in job.status.conditions if item.type in ("Complete", "Failed") and item.status == "True"
    )
    return next(ended, "")


class CronJobController(KeyedController):
    """`cronjob-controller`."""

    name = "cronjob-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of(self.name)
        self._cron_jobs = self.watch_own(CronJob)
        self._jobs = self.informer(Job)
        index_by_controller(self._jobs)
        self._jobs.on_change(self._job_changed)

    def _job_changed(self, old: Job | None, new: Job | None) -> None:
        job = new or old
        owner = controller_of(job) if job is not None else None
        if job is not None and owner is not None and owner.kind == "CronJob":
            self.queue.add(f"{job.metadata.namespace}/{owner.name}")

    async def reconcile(self, key: str) -> float | None:
        cron_job = self._cron_jobs.cache.get(*split_key(key))
        if cron_job is None:
            return None
        jobs = controlled_by(self._jobs, cron_job.metadata.uid)
        if _unknown(cron_job, jobs):
            # The cache may not have heard yet of the status that a Job was started with.
            fresh = await self._live(cron_job)
            if fresh is None:
                return None
            cron_job = fresh
        status = await self._observed(cron_job, jobs)
        await self._clean_up(cron_job, jobs)
        again = None
        if cron_job.metadata.deletion_timestamp is None and self._has_zone(cron_job) and not cron_job.spec.suspend:
            again = await self._start_due(cron_job, status, jobs)
        if status != cron_job.status:
            changed = copy(cron_job)
            changed.status = status
            await self.client.update_status(changed)
        return again

    async def _live(self, cached: _Cached) -> _Cached | None:
        """The object as the server has it; None when it is gone, or another one of its name is there."""
        where = cached.metadata
        try:
            found = await self.client.get(type(cached), where.name or "", where.namespace)
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        return found if found.metadata.uid == where.uid else None

    async def _observed(self, cron_job: CronJob, jobs: Sequence[Job]) -> CronJobStatus:
        """The status with Jobs that have ended taken out of `active`."""
        status = copy(cron_job.status)
        for job in _unknown(cron_job, jobs):
            message = f"Saw a job that the controller did not create or forgot: {job.metadata.name}"
            self._recorder.event(cron_job, "Warning", "UnexpectedJob", message)
        for job in jobs:
            if _outcome(job) == "Complete":
                ended = max(status.last_successful_time or "", job.status.completion_time or "")
                status.last_successful_time = ended or None
        by_uid = {job.metadata.uid: job for job in jobs}
        active = []
        for reference in status.active:
            # The cache may not have heard yet of a Job that was just started.
            named = ObjectMeta(name=reference.name, namespace=cron_job.metadata.namespace, uid=reference.uid)
            found = by_uid.get(reference.uid) or await self._live(Job(metadata=named))
            if found is None:
                self._recorder.event(cron_job, "Normal", "MissingJob", f"Active job went missing: {reference.name}")
            elif is_over(found):
                message = f"Saw completed job: {reference.name}, condition: {_outcome(found)}"
                self._recorder.event(cron_job, "Normal", "SawCompletedJob", message)
            else:
                active.append(reference)
        status.active = active
        return status

    def _has_zone(self, cron_job: CronJob) -> bool:
        try:
            ZoneInfo(cron_job.spec.time_zone or "UTC")
        except (ValueError, ZoneInfoNotFoundError):
            zone = json.dumps(cron_job.spec.time_zone)
            text = f"invalid timeZone: {zone}: unknown time zone {cron_job.spec.time_zone}"
            self._recorder.event(cron_job, "Warning", "UnknownTimeZone", text)
            return False
        return True

    async def _clean_up(self, cron_job: CronJob, jobs: Sequence[Job]) -> None:
        spec = cron_job.spec
        old = [
            *superfluous(jobs, "Complete", spec.successful_jobs_history_limit),
            *superfluous(jobs, "Failed", spec.failed_jobs_history_limit),
        ]
        for job in old:
            await self._delete(cron_job, job)

    async def _delete(self, cron_job: CronJob, job: Job) -> None:
        options = DeleteOptions(propagation_policy="Background")
        try:
            await self.client.delete(Job, job.metadata.name or "", job.metadata.namespace, options)
        except StatusError as error:
            if error.code != 404:
                raise
            return
        self._recorder.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {job.metadata.name}")

    async def _start_due(self, cron_job: CronJob, status: CronJobStatus, jobs: Sequence[Job]) -> float | None:
        try:
            schedule = cron.parse(cron_job.spec.schedule)
        except ValueError as error:
            text = f"unparseable schedule: {json.dumps(cron_job.spec.schedule)} : {error}"
            self._recorder.event(cron_job, "Warning", "UnparseableSchedule", text)
            return None
        found = due(cron_job, schedule, self.clock.now())
        if found.at is None and found.again_after is None:
            # Such as the 31st of February; upstream's words for it tell how it notices.
            why = "time difference between two schedules is less than 1 second"
            text = f"invalid schedule: {cron_job.spec.schedule} : {why}"
            self._recorder.event(cron_job, "Warning", "InvalidSchedule", text)
            return None
        if found.at is None:
            return found.again_after
        if found.missed > TOO_MANY_MISSED:
            message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self._recorder.event(cron_job, "Warning", "TooManyMissedTimes", message)
        if status.active and cron_job.spec.concurrency_policy == "Forbid":
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._recorder.event(cron_job, "Normal", "JobAlreadyActive", message)
            return found.again_after
        if cron_job.spec.concurrency_policy == "Replace":
            await self._replace(cron_job, status, jobs)
        await self._start(cron_job, status, found.at)
        return found.again_after

    async def _replace(self, cron_job: CronJob, status: CronJobStatus, jobs: Sequence[Job]) -> None:
        running = {reference.uid for reference in status.active}
        for job in jobs:
            if job.metadata.uid in running:
                await self._delete(cron_job, job)
        status.active = []

    async def _start(self, cron_job: CronJob, status: CronJobStatus, at: datetime) -> None:
        new = job_of(cron_job, at)
        try:
            job = await self.client.create(new)
        except StatusError as error:
            if error.code != 409:
                if not namespace_is_going(error):
                    self._recorder.event(cron_job, "Warning", "FailedCreate", f"Error creating job: {error}")
                raise
            # Created before, but the status was not written: it is written now.
            job = await self.client.get(Job, new.metadata.name or "", new.metadata.namespace)
            if not is_controlled_by(job, cron_job):
                return
        else:
            self._recorder.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {job.metadata.name}")
        if not is_over(job) and all(reference.uid != job.metadata.uid for reference in status.active):
            status.active.append(_reference(job))
        status.last_schedule_time = api_time.format(at)


def _reference(job: Job) -> ObjectReference:
    where = job.metadata
    return ObjectReference(
        kind="Job",
        namespace=where.namespace,
        name=where.name,
        uid=where.uid,
        api_version="batch/v1",
        resource_version=where.resource_version,
    )
