"""Creating and deleting the pods of an owner, with the events that tell of it. Workload controllers call it.

Many pods are created in growing batches: when the first ones are refused (a quota, a webhook), the rest is not tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Pod, PodTemplateSpec
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta, Preconditions
from pybernetes.client import Client, Unreachable
from pybernetes.controllers.ownership import owner_reference
from pybernetes.reconcile import EventRecorder

Failure = StatusError | Unreachable


def pod_from(template: PodTemplateSpec, owner: ApiObject, name: str = "") -> Pod:
    """A new pod of the template, controlled by the owner; without a name the server makes one."""
    metadata = copy(template.metadata)
    return Pod(
        metadata=ObjectMeta(
            name=name or None,
            generate_name=None if name else f"{owner.metadata.name}-",
            namespace=owner.metadata.namespace,
            labels=metadata.labels,
            annotations=metadata.annotations,
            finalizers=metadata.finalizers,
            owner_references=[owner_reference(owner)],
        ),
        spec=copy(template.spec),
    )


def namespace_is_going(error: Exception) -> bool:
    """The refusal that means: nothing can be created here any more, and nothing needs to be."""
    details = error.status.details if isinstance(error, StatusError) else None
    return details is not None and any(cause.reason == "NamespaceTerminating" for cause in details.causes)


class PodControl:
    """Acts for one controller, which the events name."""

    def __init__(self, client: Client, recorder: EventRecorder) -> None:
        self._client = client
        self._recorder = recorder

    async def create(self, owner: ApiObject, pod: Pod) -> Failure | None:
        """Creates a pod; the failure is told as an event and returned."""
        try:
            created = await self._client.create(pod)
        except (StatusError, Unreachable) as error:
            if not namespace_is_going(error):
                self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error}")
            return error
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {created.metadata.name}")
        return None

    async def delete(self, owner: ApiObject, pod: Pod) -> Failure | None:
        """Deletes this very pod; one that is gone already is no failure."""
        options = DeleteOptions(preconditions=Preconditions(uid=pod.metadata.uid))
        try:
            await self._client.delete(Pod, pod.metadata.name or "", pod.metadata.namespace or "", options)
        except (StatusError, Unreachable) as error:
            if isinstance(error, StatusError) and error.code in (404, 409):
                return None
            self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}")
            return error
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod.metadata.name}")
        return None

    async def create_all(self, owner: ApiObject, pods: Sequence[Pod], failed: Callable[[], None]) -> Failure | None:
        """Creates 1, 2, 4 ... at a time until done or one fails; `failed` is called for each that was not created."""
        left = list(pods)
        size = 1
        while left:
            batch, left = left[:size], left[size:]
            errors = await gather([self.create(owner, pod) for pod in batch])
            failures = [error for error in errors if error is not None]
            for _ in failures:
                failed()
            if failures:
                for _ in left:
                    failed()
                return None if namespace_is_going(failures[0]) else failures[0]
            size *= 2
        return None

    async def delete_all(self, owner: ApiObject, pods: Sequence[Pod], failed: Callable[[Pod], None]) -> Failure | None:
        """Deletes all at once; `failed` is called for each that could not be deleted; the first failure is returned."""
        errors = await gather([self.delete(owner, pod) for pod in pods])
        for pod, error in zip(pods, errors, strict=True):
            if error is not None:
                failed(pod)
        return next((error for error in errors if error is not None), None)


async def gather(work: Sequence[Awaitable[Failure | None]]) -> list[Failure | None]:
    """Does all of it at the same time; the outcomes in the same order."""

    async def outcome(item: Awaitable[Failure | None]) -> Failure | None:
        return await item

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(outcome(item)) for item in work]
    return [task.result() for task in running]
