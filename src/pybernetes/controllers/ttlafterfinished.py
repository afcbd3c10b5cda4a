"""The TTL-after-finished controller: deletes Jobs some time after they have ended. `seconds_left` is the pure part."""

from __future__ import annotations

from datetime import datetime

from pybernetes.api import time as api_time
from pybernetes.api.status import StatusError
from pybernetes.api.types.batch_v1 import Job
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.reconcile import split_key


def seconds_left(job: Job, now: datetime) -> float | None:
    """Until the Job is to be deleted; None when it has no TTL or has not finished."""
    ttl = job.spec.ttl_seconds_after_finished
    ended = next(
        (item for item in job.status.conditions if item.type in ("Complete", "Failed") and item.status == "True"), None
    )
    if ttl is None or ended is None or not ended.last_transition_time or job.metadata.deletion_timestamp is not None:
        return None
    return ttl - (now - api_time.parse(ended.last_transition_time)).total_seconds()


class TTLAfterFinishedController(KeyedController):
    """`ttl-after-finished-controller`."""

    name = "ttl-after-finished-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._jobs = self.watch_own(Job)

    async def reconcile(self, key: str) -> float | None:
        namespace, name = split_key(key)
        job = self._jobs.cache.get(namespace, name)
        left = seconds_left(job, self.clock.now()) if job is not None else None
        if job is None or left is None or left > 0:
            return left
        preconditions = Preconditions(uid=job.metadata.uid, resource_version=job.metadata.resource_version)
        options = DeleteOptions(propagation_policy="Foreground", preconditions=preconditions)
        try:
            await self.client.delete(Job, name, namespace, options)
        except StatusError as error:
            if error.code != 404:
                raise
        return None
