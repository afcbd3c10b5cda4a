"""[sig-scheduling] LimitRange, SchedulerPredicates and SchedulerPreemption; [sig-architecture] the nodes."""

from __future__ import annotations

import asyncio

from tests.conformance.bodies import pod, workload
from tests.conformance.driving import Api, Json, Simulated, alone, condition, simulated

FAKE = "example.com/fakecpu"
WORKERS = ("worker-1", "worker-2")
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


def amounts(cpu: str, memory: str, storage: str) -> Json:
    given = {"cpu": cpu, "memory": memory, "ephemeral-storage": storage}
    return {name: amount for name, amount in given.items() if amount}


def limit_range(name: str, labels: Json) -> Json:
    item = {
        "type": "Container",
        "min": amounts("50m", "100Mi", "100Gi"),
        "max": amounts("500m", "500Mi", "500Gi"),
        "default": amounts("500m", "500Mi", "500Gi"),
        "defaultRequest": amounts("100m", "200Mi", "200Gi"),
        "maxLimitRequestRatio": {},
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": {"limits": [item]}}


def asking(name: str, requests: Json, limits: Json | None = None, **spec: object) -> Json:
    """A pod whose container asks for so much."""
    body = pod(name, {"name": name}, **spec)
    body["spec"]["containers"][0]["resources"] = {"requests": requests, "limits": limits or {}}
    return body


@alone
async def test_a_limit_range_gives_pods_their_defaults(api: Api) -> None:
    """LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied."""
    pods, path = api.at("v1", "pods"), api.at("v1", "limitranges", "limit-range")
    async with api.watch(api.at("v1", "limitranges?labelSelector=time%3Dnow")) as watching:
        await api.post(api.at("v1", "limitranges"), limit_range("limit-range", {"time": "now"}))
        assert (await watching.next())[0] == "ADDED"

    async def resources(body: Json) -> Json:
        await api.post(pods, body)
        made = await api.get(f"{pods}/{body['metadata']['name']}")
        found: Json = made["spec"]["containers"][0]["resources"]
        return found

    top = amounts("500m", "500Mi", "500Gi")
    assert await resources(asking("none", {})) == {"requests": amounts("100m", "200Mi", "200Gi"), "limits": top}
    partial = await resources(asking("partial", amounts("", "150Mi", "150Gi"), amounts("300m", "", "")))
    assert partial == {"requests": amounts("300m", "150Mi", "150Gi"), "limits": {**top, "cpu": "300m"}}
    low, high = asking("pod", amounts("10m", "50Mi", "50Gi")), asking("pod2", amounts("600m", "600Mi", "600Gi"))
    for refused in (low, high):
        await api.refused(403 if refused is low else 422, api.post(pods, refused))

    def lower(obj: Json) -> None:
        obj["spec"]["limits"][0]["min"] = amounts("9m", "49Mi", "49Gi")

    await api.edit(path, lower)
    await api.post(pods, low)
    await api.refused(422, api.post(pods, high))
    await api.delete(path, gracePeriodSeconds=30)
    await api.until(lambda: api.gone(path), 30)
    await api.post(pods, high)


@alone
async def test_limit_ranges_are_listed_patched_and_deleted_by_collection(api: Api) -> None:
    """LimitRange should list, patch and delete a LimitRange by collection."""
    await api.post("/api/v1/namespaces", {"metadata": {"name": "other"}})
    labels = {"e2e-test": "lr", "lr": "created"}
    for namespace in (api.namespace, "other"):
        await api.post(api.at("v1", "limitranges", ns=namespace), limit_range("lr", labels))
    everywhere = "/api/v1/limitranges?labelSelector=e2e-test%3Dlr"
    assert len(await api.items(everywhere)) == 2
    body = limit_range("lr", {"lr": "patched"})
    body["spec"]["limits"][0]["min"] = amounts("9m", "49Mi", "49Gi")
    patched = await api.patch(api.at("v1", "limitranges", "lr"), body, "strategic")
    assert patched["metadata"]["labels"]["lr"] == "patched"
    assert patched["spec"]["limits"][0]["min"] == amounts("9m", "49Mi", "49Gi")
    await api.delete(api.at("v1", "limitranges?labelSelector=lr%3Dpatched"))
    assert [each["metadata"]["namespace"] for each in await api.items(everywhere)] == ["other"]


@simulated
async def test_at_least_two_nodes_without_taints(api: Simulated) -> None:
    """[sig-architecture] Conformance Tests should have at least two untainted nodes."""
    nodes = await api.items("/api/v1/nodes")
    assert (
        len([node for node in nodes if not node["spec"].get("taints") and not node["spec"].get("unschedulable")]) >= 2
    )


async def node_of(api: Simulated, name: str) -> str:
    """Waits until a pod runs; its node."""
    path = api.at("v1", "pods", name)

    async def running() -> str:
        obj = await api.get(path)
        return str(obj["spec"]["nodeName"]) if obj["status"]["phase"] == "Running" else ""

    return str(await api.until(running))


async def stays_unscheduled(api: Simulated, name: str) -> None:
    """The scheduler says that there is no place, and none is found later."""
    path = api.at("v1", "pods", name)

    async def told() -> bool:
        obj = await api.get(path)
        return condition(obj, "PodScheduled") == "False"

    async def placed() -> bool:
        return "nodeName" in (await api.get(path))["spec"]

    await api.until(told)
    await api.never(placed, 10)
    assert ("Warning", "FailedScheduling") in await told_of(api, name)


async def told_of(api: Simulated, name: str) -> set[tuple[str, str]]:
    """(type, reason) of the events of a pod, in both groups; their names begin with the pod's."""
    core = await api.items(api.at("v1", "events"))
    new = await api.items(api.at("events.k8s.io/v1", "events"))
    mine = [each for each in core if each["involvedObject"]["name"] == name]
    assert mine and all(each["metadata"]["name"].startswith(name) for each in mine)
    found = {(each["type"], each["reason"]) for each in mine}
    assert found == {(each["type"], each["reason"]) for each in new if each["regarding"]["name"] == name}
    return found


@simulated
async def test_resource_limits_of_pods_that_are_allowed_to_run(api: Simulated) -> None:
    """SchedulerPredicates validates resource limits of pods that are allowed to run."""
    label = {"metadata": {"labels": {"node": "yes"}}}
    for worker in WORKERS:
        node = await api.patch(f"/api/v1/nodes/{worker}", label)
        free = int(float(node["status"]["allocatable"]["cpu"]) * 1000)
        filler = asking(f"filler-{worker}", {"cpu": f"{free * 7 // 10}m"}, nodeSelector={"node": "yes"})
        filler["spec"]["nodeName"] = worker
        await api.post(api.at("v1", "pods"), filler)
        await node_of(api, f"filler-{worker}")
    await api.post(
        api.at("v1", "pods"), asking("additional-pod", {"cpu": f"{free // 2}m"}, nodeSelector={"node": "yes"})
    )
    await stays_unscheduled(api, "additional-pod")


@simulated
async def test_node_selectors(api: Simulated) -> None:
    """SchedulerPredicates validates that NodeSelector is respected if not matching / if matching."""
    await api.post(api.at("v1", "pods"), pod("restricted-pod", nodeSelector={"label": "nonempty"}))
    await stays_unscheduled(api, "restricted-pod")
    await api.patch("/api/v1/nodes/worker-2", {"metadata": {"labels": {"kubernetes.io/e2e": "42"}}})
    await api.post(api.at("v1", "pods"), pod("with-labels", nodeSelector={"kubernetes.io/e2e": "42"}))
    assert await node_of(api, "with-labels") == "worker-2"
    assert ("Normal", "Scheduled") in await told_of(api, "with-labels")


@simulated
async def test_host_ports_conflict_where_one_has_all_addresses(api: Simulated) -> None:
    """SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one
    using 0.0.0.0 hostIP; HostPort: no conflict with another hostIP or protocol."""

    async def create(name: str, address: str, protocol: str) -> None:
        port = {"hostPort": 54322, "containerPort": 54322, "hostIP": address, "protocol": protocol}
        body = pod(name, nodeSelector={"kubernetes.io/hostname": "worker-1"})
        body["spec"]["containers"][0]["ports"] = [port]
        await api.post(api.at("v1", "pods", ns="ports"), body)

    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    await api.post("/api/v1/namespaces", {"metadata": {"name": "ports", "labels": labels}})
    api.namespace = "ports"

    async def account() -> bool:
        return bool(await api.items(api.at("v1", "serviceaccounts")))

    await api.until(account)
    for name, address, protocol in (("1", "127.0.0.1", "TCP"), ("2", "127.0.0.2", "TCP"), ("3", "127.0.0.2", "UDP")):
        await create(f"pod{name}", address, protocol)
        assert await node_of(api, f"pod{name}") == "worker-1"
    await create("pod4", "0.0.0.0", "TCP")
    await stays_unscheduled(api, "pod4")


async def advertise(api: Simulated, resource: str, amount: str, workers: tuple[str, ...] = WORKERS) -> None:
    """The nodes' statuses tell of an extended resource, some as upstream patches them now, some by capacity alone."""
    for worker in workers:
        told = {"capacity": {resource: amount}}
        if worker == WORKERS[-1]:
            told["allocatable"] = told["capacity"]
        await api.patch(f"/api/v1/nodes/{worker}/status", {"status": told}, "strategic")

        async def allocatable(worker: str = worker) -> bool:
            return bool((await api.get(f"/api/v1/nodes/{worker}"))["status"]["allocatable"].get(resource) == amount)

        await api.until(allocatable, 60)


async def fill(api: Simulated) -> None:
    """Two pods on each worker, each with 2 of 5 things; the first is of low priority, all others of medium."""
    for name, value in (("low", 1), ("medium", 100), ("high", 1000)):
        await api.post(CLASSES, {"metadata": {"name": f"sched-preemption-{name}-priority"}, "value": value})
    await advertise(api, "scheduling.k8s.io/foo", "5")
    for number, priority in enumerate(("low", "medium", "medium", "medium")):
        worker = WORKERS[number // 2]
        fields = [{"key": "metadata.name", "operator": "In", "values": [worker]}]
        required = {"nodeSelectorTerms": [{"matchFields": fields}]}
        amount = {"scheduling.k8s.io/foo": "2"}
        body = asking(
            f"pod-{number}",
            amount,
            amount,
            priorityClassName=f"sched-preemption-{priority}-priority",
            affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
        )
        await api.post(api.at("v1", "pods"), body)
        assert await node_of(api, f"pod-{number}") == worker


async def preempts(api: Simulated, namespace: str, priority: str) -> None:
    """A pod of this priority takes the place of the low one, and the medium ones are left alone."""
    await fill(api)
    amount = {"scheduling.k8s.io/foo": "2"}
    await api.post(
        api.at("v1", "pods", ns=namespace), asking("preemptor-pod", amount, amount, priorityClassName=priority)
    )
    here, api.namespace = api.namespace, namespace
    assert await node_of(api, "preemptor-pod") == "worker-1"
    api.namespace = here
    assert await api.gone(api.at("v1", "pods", "pod-0"))
    for number in (1, 2, 3):
        assert "deletionTimestamp" not in (await api.get(api.at("v1", "pods", f"pod-{number}")))["metadata"]


@simulated
async def test_basic_preemption(api: Simulated) -> None:
    """SchedulerPreemption validates basic preemption works."""
    await preempts(api, api.namespace, "sched-preemption-high-priority")


@simulated
async def test_preemption_by_a_critical_pod(api: Simulated) -> None:
    """SchedulerPreemption validates lower priority pod preemption by critical pod."""
    await preempts(api, "kube-system", "system-cluster-critical")


@simulated
async def test_a_preempted_pod_has_the_disruption_target_condition(api: Simulated) -> None:
    """SchedulerPreemption validates pod disruption condition is added to the preempted pod."""
    for name, value in (("low", 1), ("high", 1000)):
        await api.post(CLASSES, {"metadata": {"name": name}, "value": value})
    await advertise(api, "scheduling.k8s.io/foo", "3", ("worker-1",))
    amount = {"scheduling.k8s.io/foo": "2"}
    victim = asking("victim-pod", amount, amount, priorityClassName="low")
    victim["metadata"]["finalizers"] = ["example.com/test-finalizer"]
    await api.post(api.at("v1", "pods"), victim)
    await node_of(api, "victim-pod")
    await api.post(api.at("v1", "pods"), asking("preemptor-pod", amount, amount, priorityClassName="high"))
    path = api.at("v1", "pods", "victim-pod")

    async def marked() -> Json | None:
        obj: Json = await api.get(path)
        return obj if "deletionTimestamp" in obj["metadata"] else None

    obj = await api.until(marked)
    conditions = {each["type"]: each for each in obj["status"]["conditions"]}
    assert conditions["DisruptionTarget"]["status"] == "True"
    assert conditions["DisruptionTarget"]["reason"] == "PreemptionByScheduler"
    await api.patch(path, {"metadata": {"finalizers": None}})
    assert await node_of(api, "preemptor-pod") == "worker-1"


@simulated
async def test_preemption_path_of_replica_sets(api: Simulated) -> None:
    """SchedulerPreemption PreemptionExecutionPath runs ReplicaSets to verify preemption running path."""
    await advertise(api, FAKE, "1k", ("worker-1",))
    selector = {"kubernetes.io/hostname": "worker-1"}
    created: dict[str, set[str]] = {"pod1": set(), "pod2": set(), "pod3": set()}
    for number in range(1, 5):
        await api.post(CLASSES, {"metadata": {"name": f"p{number}"}, "value": number})

    async def look() -> None:
        async with api.watch(api.at("v1", "pods")) as watching:
            while True:
                obj = await watching.until("ADDED")
                created.get(obj["metadata"]["labels"]["name"], set()).add(obj["metadata"]["name"])

    looking = asyncio.ensure_future(look())
    for number, amount in ((1, "200"), (2, "300"), (3, "450")):
        name = f"pod{number}"
        spec = asking(name, {FAKE: amount}, {FAKE: amount}, nodeSelector=selector, priorityClassName=f"p{number}")[
            "spec"
        ]
        body = workload(f"rs-{name}", {"name": name})
        body["spec"]["template"]["spec"] = spec
        await api.post(api.at("apps/v1", "replicasets"), body)

        async def available(name: str = name) -> bool:
            found = await api.get(api.at("apps/v1", "replicasets", f"rs-{name}"))
            return bool(found["status"].get("availableReplicas", 0) == 1)

        await api.until(available)
    amount_of_four = {FAKE: "500"}
    preemptor = asking("pod4", amount_of_four, amount_of_four, nodeSelector=selector, priorityClassName="p4")
    await api.post(api.at("v1", "pods"), preemptor)
    await node_of(api, "pod4")

    async def replaced() -> bool:
        return [len(names) for names in created.values()] == [2, 2, 1]

    await api.until(replaced, 60)
    await asyncio.sleep(30)
    assert await replaced()
    looking.cancel()


@alone
async def test_priority_class_endpoints(api: Api) -> None:
    """SchedulerPreemption PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP
    methods."""
    made = [await api.post(CLASSES, {"metadata": {"name": f"p{value}"}, "value": value}) for value in (1, 2)]
    await api.refused(422, api.patch(f"{CLASSES}/p1", {"value": 10}, "strategic"))
    await api.refused(422, api.put(f"{CLASSES}/p2", {**made[1], "value": 20}))
    await api.patch(f"{CLASSES}/p1", {"description": "updated description"}, "strategic")
    await api.put(f"{CLASSES}/p2", {**made[1], "description": "updated description"})
    found = {each["metadata"]["name"]: each for each in await api.items(CLASSES)}
    assert set(found) == {"p1", "p2", "system-node-critical", "system-cluster-critical"}
    for name, value in (("p1", 1), ("p2", 2)):
        assert (found[name]["value"], found[name]["description"]) == (value, "updated description")
