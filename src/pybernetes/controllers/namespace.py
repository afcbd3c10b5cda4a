"""The namespace controller: empties a namespace that is to go, says what is still there, and lets it go when nothing
is.

`conditions_of` is the pure part. Contents are found by the rows of the served kinds and by the custom resource
definitions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from pybernetes.api import time as api_time
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.core_v1 import Namespace, NamespaceCondition, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, ListMeta, ObjectMeta
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController

log = logging.getLogger(__name__)

FINALIZER = "kubernetes"
# Finalizers are the business of others; they are asked after again in so many seconds.
FINALIZER_ESTIMATE = 15.0
_NEEDED_VERBS = frozenset({"delete", "deletecollection", "list"})


@dataclass(frozen=True, order=True)
class Collection:
    """A namespaced resource by its request path."""

    group: str
    resource: str
    prefix: str  # /api/v1 or /apis/apps/v1

    def path(self, namespace: str) -> str:
        return f"{self.prefix}/namespaces/{namespace}/{self.resource}"


@dataclass
class Remains:
    """What emptying has left: instances per resource, instances per finalizer, failures, and the longest grace
    period.
    """

    resources: dict[str, int] = field(default_factory=dict)  # "configmaps." -> 1, as upstream prints a GroupResource
    finalizers: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    grace: float = 0.0


class _Item(msgspec.Struct):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class _Items(msgspec.Struct):
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[_Item] | None = None


_decoder = msgspec.json.Decoder(_Items)


def conditions_of(before: Iterable[NamespaceCondition], remains: Remains, now: datetime) -> list[NamespaceCondition]:
    """The five conditions of a namespace that is going; unchanged ones keep their time."""
    known = {item.type: item for item in before}
    result = []
    for type_, status, reason, message in _facts(remains):
        old = known.pop(type_, None)
        if old is not None and (old.status, old.reason, old.message) == (status, reason, message):
            result.append(old)
            continue
        stamp = api_time.format(now)
        result.append(
            NamespaceCondition(type=type_, status=status, reason=reason, message=message, last_transition_time=stamp)
        )
    return [*known.values(), *result]


def _facts(remains: Remains) -> Iterable[tuple[str, str, str, str]]:
    message = "All resources successfully discovered"
    yield "NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", message
    yield (
        "NamespaceDeletionGroupVersionParsingFailure",
        "False",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    )
    if remains.failures:
        told = ", ".join(remains.failures)
        message = f"Failed to delete all resource types, {len(remains.failures)} remaining: {told}"
        yield "NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", message
    else:
        message = "All content successfully deleted, may be waiting on finalization"
        yield "NamespaceDeletionContentFailure", "False", "ContentDeleted", message
    if remains.resources:
        told = _counted(remains.resources, "{} has {} resource instances")
        yield "NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {told}"
    else:
        yield "NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"
    if remains.finalizers:
        told = _counted(remains.finalizers, "{} in {} resource instances")
        message = f"Some content in the namespace has finalizers remaining: {told}"
        yield "NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", message
    else:
        message = "All content-preserving finalizers finished"
        yield "NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", message


def _counted(counts: Mapping[str, int], template: str) -> str:
    return ", ".join(template.format(name, counts[name]) for name in sorted(counts))


def built_in() -> list[Collection]:
    """The namespaced kinds whose contents can be deleted; a resource of two versions counts once."""
    found: dict[tuple[str, str], Collection] = {}
    for kind in KINDS:
        if kind.namespaced and kind.verbs >= _NEEDED_VERBS:
            found.setdefault((kind.group, kind.resource), Collection(kind.group, kind.resource, kind.path_prefix))
    return list(found.values())


def custom(definitions: Iterable[CustomResourceDefinition]) -> list[Collection]:
    found = []
    for definition in definitions:
        spec = definition.spec
        version = next((item.name for item in spec.versions if item.served), None)
        if spec.scope == "Namespaced" and version:
            found.append(Collection(spec.group, spec.names.plural, f"/apis/{spec.group}/{version}"))
    return found


class NamespaceController(KeyedController):
    """`namespace-controller`."""

    name = "namespace-controller"
    workers = 10

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._namespaces = self.informer(Namespace)
        self._namespaces.on_change(self._namespace_changed)
        self._definitions = self.informer(CustomResourceDefinition)
        self._pods = self.informer(Pod)
        self._pods.on_change(self._pod_changed)

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None and new.metadata.deletion_timestamp is not None:
            self.enqueue(new)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """The last pod of a namespace that is going has gone: no need to wait for the estimate."""
        if new is not None or old is None:
            return
        name = old.metadata.namespace or ""
        namespace = self._namespaces.cache.get("", name)
        going = namespace is not None and namespace.metadata.deletion_timestamp is not None
        if going and not self._pods.cache.list(name):
            self.queue.add(name)

    async def reconcile(self, key: str) -> float | None:
        namespace = self._namespaces.cache.get("", key)
        if namespace is None or namespace.metadata.deletion_timestamp is None:
            return None
        if FINALIZER not in namespace.spec.finalizers:
            return None
        remains = await self._empty(key)
        namespace = await self._tell(namespace, remains)
        if remains.failures:
            return FINALIZER_ESTIMATE
        if remains.resources:
            return remains.grace / 2 + 1 if remains.grace else FINALIZER_ESTIMATE
        await self._finalize(namespace)
        return None

    async def _empty(self, name: str) -> Remains:
        """Pods first, and the rest only when they are gone: what they use must outlive them."""
        remains = Remains()
        collections = [*built_in(), *custom(self._definitions.cache.list())]
        pods = [item for item in collections if (item.group, item.resource) == ("", "pods")]
        for item in pods:
            await self._empty_one(item, name, remains)
        if remains.resources:
            return remains
        for item in collections:
            if item not in pods:
                await self._empty_one(item, name, remains)
        return remains

    async def _empty_one(self, item: Collection, name: str, remains: Remains) -> None:
        path = item.path(name)
        try:
            items = await self._list(path)
            if any(entry.metadata.deletion_timestamp is None for entry in items):
                body = msgspec.json.encode(DeleteOptions(propagation_policy="Background"))
                await self.client.raw("DELETE", path, body=body)
                items = await self._list(path)
        except StatusError as error:
            if error.code not in (404, 405):
                remains.failures.append(str(error))
            return
        if items:
            remains.resources[f"{item.resource}.{item.group}"] = len(items)
        for entry in items:
            remains.grace = max(remains.grace, float(entry.metadata.deletion_grace_period_seconds or 0))
            for finalizer in entry.metadata.finalizers:
                remains.finalizers[finalizer] = remains.finalizers.get(finalizer, 0) + 1

    async def _list(self, path: str) -> list[_Item]:
        response = await self.client.raw("GET", path)
        return _decoder.decode(response.body).items or []

    async def _tell(self, namespace: Namespace, remains: Remains) -> Namespace:
        conditions = conditions_of(namespace.status.conditions, remains, self.clock.now())
        if conditions == namespace.status.conditions:
            return namespace
        changed = copy(namespace)
        changed.status.conditions = conditions
        return await self.client.update_status(changed)

    async def _finalize(self, namespace: Namespace) -> None:
        changed: Any = copy(namespace)
        changed.spec.finalizers = [item for item in changed.spec.finalizers if item != FINALIZER]
        try:
            await self.client.update(changed, "finalize")
        except StatusError as error:
            if error.code != 404:
                raise
        log.info("namespace %s is empty and has been let go", namespace.metadata.name)
