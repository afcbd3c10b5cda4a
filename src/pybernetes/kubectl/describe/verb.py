"""`kubectl describe`: finds the objects, gathers what belongs to each (events, pods, leases) and writes the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pybernetes.api import encoding
from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from pybernetes.api.types.batch_v1 import CronJob, Job
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.core_v1 import Event, Node, Pod, Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.kubectl import selection, watching, workloads
from pybernetes.kubectl.describe import access, configuration, workload
from pybernetes.kubectl.describe.generic import describe_object
from pybernetes.kubectl.describe.node import NodeFacts, describe_node
from pybernetes.kubectl.describe.pod import describe_pod
from pybernetes.kubectl.describe.service import describe_service
from pybernetes.kubectl.describe.writing import Writing, write_events
from pybernetes.kubectl.failures import CommandError, error, explained, several
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *FILES,
    Flag("selector", "l"),
    switch("all-namespaces", "A"),
    switch("show-events", default="true"),
    Flag("chunk-size", default="500"),
)
Object = dict[str, Any]


async def run(session: Session, words: Words) -> int:
    """0 when everything named was there."""
    targets = await manifest_targets(session, words) or await selection.resolve(session, words.arguments)
    if not targets:
        raise error(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of '
            "supported resources."
        )
    failures: list[CommandError] = []
    pages: list[str] = []
    for target in targets:
        try:
            pages += [
                await describe(session, obj, words.on("show-events")) for obj in await _objects(session, words, target)
            ]
        except StatusError as failure:
            failures.append(explained(failure))
    session.out.write("\n\n".join(pages))
    if failures:
        raise several(failures)
    if not pages:
        session.warn(
            "No resources found"
            if words.on("all-namespaces")
            else f"No resources found in {session.namespace} namespace."
        )
    return 0


async def _objects(session: Session, words: Words, target: Target) -> list[Object]:
    """The object of this name, else those whose names begin so; or all that the selector selects."""
    resource, namespace = target.resource, session.namespace_of(target.resource)
    header = {"apiVersion": resource.api_version, "kind": resource.kind}
    if target.name:
        try:
            return [header | await session.request("GET", resource.path(namespace, target.name))]
        except StatusError as failure:
            if failure.code != 404:
                raise
            missing = failure
    everywhere = "" if words.on("all-namespaces") else namespace
    listed = await session.request("GET", resource.path(everywhere), watching.selecting(labels=words.text("selector")))
    items = [header | item for item in listed.get("items") or () if item["metadata"]["name"].startswith(target.name)]
    if target.name and not items:
        raise missing
    return items


async def describe(session: Session, obj: Object, with_events: bool = True) -> str:
    """The page of one object."""
    writing = Writing()
    events = await _events(session, obj) if with_events else []
    writer = _WRITERS.get(obj["kind"])
    if writer is not None:
        await writer(session, writing, obj, events)
    else:
        describe_object(writing, obj)
    if with_events and obj["kind"] not in _WITHOUT_EVENTS:
        write_events(writing, events, session.now())
    return writing.text()


async def _events(session: Session, obj: Object) -> list[Event]:
    metadata = obj["metadata"]
    fields = {"involvedObject.name": metadata["name"], "involvedObject.kind": obj["kind"]}
    if namespace := metadata.get("namespace", ""):
        fields |= {"involvedObject.namespace": namespace, "involvedObject.uid": metadata.get("uid", "")}
    path = f"/api/v1/namespaces/{namespace}/events" if namespace else "/api/v1/events"
    query = watching.selecting(fields=",".join(f"{name}={value}" for name, value in fields.items()))
    try:
        return await session.items(Event, path, query)
    except StatusError as failure:
        if failure.code == 403:
            return []
        raise


async def _pods(session: Session, obj: Mapping[str, Any]) -> list[Pod]:
    path = f"/api/v1/namespaces/{obj['metadata']['namespace']}/pods"
    listed = await session.request("GET", path, [("labelSelector", workloads.selector_of(obj))])
    mine = workloads.owned(listed.get("items") or [], obj)
    return [encoding.from_value(item, Pod).object for item in mine]


async def _pod(session: Session, writing: Writing, obj: Object, events: Sequence[Event]) -> None:
    describe_pod(writing, encoding.from_value(obj, Pod).object, events, session.now())


async def _node(session: Session, writing: Writing, obj: Object, events: Sequence[Event]) -> None:
    name = obj["metadata"]["name"]
    try:
        path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}"
        lease: Lease | None = await session.typed(Lease, path)
    except StatusError:
        lease = None
    pods = await session.items(Pod, "/api/v1/pods", watching.selecting(fields=f"spec.nodeName={name}"))
    facts = NodeFacts(lease, pods, events)
    describe_node(writing, encoding.from_value(obj, Node).object, facts, session.now())


async def _service(session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    metadata = obj["metadata"]
    path = f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices"
    labels = watching.selecting(labels=f"kubernetes.io/service-name={metadata['name']}")
    slices = await session.items(EndpointSlice, path, labels)
    describe_service(writing, encoding.from_value(obj, Service).object, slices)


async def _deployment(session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    sets = [encoding.from_value(item, ReplicaSet).object for item in await workloads.replica_sets(session, obj)]
    workload.describe_deployment(writing, encoding.from_value(obj, Deployment).object, sets)


async def _replica_set(session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    item = encoding.from_value(obj, ReplicaSet).object
    workload.describe_replica_set(writing, item, await _pods(session, obj))


async def _stateful_set(session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    item = encoding.from_value(obj, StatefulSet).object
    workload.describe_stateful_set(writing, item, await _pods(session, obj))


async def _daemon_set(session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    item = encoding.from_value(obj, DaemonSet).object
    workload.describe_daemon_set(writing, item, await _pods(session, obj))


async def _job(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    workload.describe_job(writing, encoding.from_value(obj, Job).object)


async def _cron_job(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    workload.describe_cron_job(writing, encoding.from_value(obj, CronJob).object)


async def _config_map(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    configuration.describe_config_map(writing, obj)


async def _secret(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    configuration.describe_secret(writing, obj)


async def _service_account(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    configuration.describe_service_account(writing, obj)


async def _namespace(session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    path = f"/api/v1/namespaces/{obj['metadata']['name']}"
    quotas = (await session.request("GET", f"{path}/resourcequotas")).get("items") or []
    ranges = (await session.request("GET", f"{path}/limitranges")).get("items") or []
    configuration.describe_namespace(writing, obj, quotas, ranges)


async def _role(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    access.describe_role(writing, obj)


async def _binding(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    access.describe_binding(writing, obj)


async def _priority_class(_session: Session, writing: Writing, obj: Object, _events: Sequence[Event]) -> None:
    access.describe_priority_class(writing, obj)


_ACCESS = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
# Pages that end otherwise, or have put their events where they belong.
_WITHOUT_EVENTS = frozenset({"Pod", "Node", "Namespace", "Secret", *_ACCESS})
_WRITERS: dict[str, Callable[[Session, Writing, Object, Sequence[Event]], Awaitable[None]]] = {
    "Pod": _pod,
    "Node": _node,
    "Service": _service,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
    "ConfigMap": _config_map,
    "Secret": _secret,
    "ServiceAccount": _service_account,
    "Namespace": _namespace,
    "Role": _role,
    "ClusterRole": _role,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "PriorityClass": _priority_class,
}
