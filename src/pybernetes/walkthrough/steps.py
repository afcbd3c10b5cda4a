"""The steps of the walkthrough, in order. Each takes the walk, shows what it does and raises `StepFailed`."""

from __future__ import annotations

from collections import Counter
from functools import partial

from pybernetes.walkthrough.walk import Walk, condition, fetch, try_fetch

NODE_PORT = 32600
_REQUESTS = 120


def nodes(walk: Walk) -> None:
    """One control-plane node and six workers, Ready, and what is known of one of them."""
    expected = len(walk.place.host_addresses)
    walk.wait(f"{expected} nodes are Ready", lambda: _ready_nodes(walk) == expected)
    walk.wait("all nodes are routed to", lambda: _are_routed(walk))
    walk.show("get", "nodes", "-o", "wide")
    text = walk.show("describe", "node", "worker-1")
    for part in ("InternalIP:", "Hostname:", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"):
        walk.check(part in text, f"describe node shows {part.rstrip(':')}")
    for part in ("Capacity:", "Allocatable:", "ephemeral-storage:", "System Info:", "Container Runtime Version:"):
        walk.check(part in text, f"describe node shows {part.rstrip(':')}")


def _ready_nodes(walk: Walk) -> int:
    return sum(condition(node, "Ready") == "True" for node in walk.objects("nodes"))


def _are_routed(walk: Walk) -> bool:
    """What the route controller says, at its own time."""
    return all(condition(node, "NetworkUnavailable") == "False" for node in walk.objects("nodes"))


def deployment(walk: Walk) -> None:
    """A Deployment makes a ReplicaSet makes a Pod, which serves its page from its own address."""
    walk.show("apply", "-f", str(walk.place.examples / "nginx-deployment.yaml"))
    walk.show("rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
    walk.show("get", "deployments,replicasets,pods", "-o", "wide")
    pod = walk.ready_pods()[0]
    page = walk.show(
        "exec", pod["metadata"]["name"], "--", "busybox", "wget", "-qO-", f"http://{pod['status']['podIP']}/"
    )
    walk.check("Welcome to nginx" in page, f"the page is served from the pod's own address {pod['status']['podIP']}")


def scale(walk: Walk) -> None:
    """The same file with four replicas, applied again."""
    walk.show("apply", "-f", "-", stdin=walk.example("nginx-deployment.yaml", replicas="4"))
    walk.show("rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
    walk.show("get", "pods", "-o", "wide")
    pods = walk.wait("four pods are Ready", lambda: _exactly(walk, 4))
    walk.check(len({pod["status"]["podIP"] for pod in pods}) == 4, "every pod has an address of its own")
    walk.check(len({pod["spec"]["nodeName"] for pod in pods}) >= 3, "the pods are spread over the workers")


def _exactly(walk: Walk, count: int) -> list[dict[str, dict[str, str]]]:
    ready = walk.ready_pods()
    return ready if len(ready) == count == len(walk.pods()) else []


def service(walk: Walk) -> None:
    """A Service, found by its selector: by its address, by its names, on every node, and from this machine."""
    walk.show("apply", "-f", str(walk.place.examples / "nginx-service.yaml"))
    walk.show("get", "services,endpointslices", "-o", "wide")
    _wait_for_endpoints(walk, 4)
    found = walk.objects("service", "nginx-service")[0]
    pod = walk.ready_pods()[0]["metadata"]["name"]
    for name in (found["spec"]["clusterIP"], "nginx-service", "nginx-service.default.svc.cluster.local"):
        walk.wait(f"the page is served at http://{name}/", partial(_page_from, walk, pod, name))
    for node, address in _node_addresses(walk).items():
        page = _page_from(walk, pod, f"{address}:{NODE_PORT}")
        walk.check(page, f"{node} serves it at {address}:{NODE_PORT}")
    for node, address in walk.place.host_addresses.items():
        walk.wait(f"this machine reaches {node} at {address}:{NODE_PORT}", partial(try_fetch, _url(address)))
    balance(walk)


def _page_from(walk: Walk, pod: str, host: str) -> bool:
    done = walk.run(
        [*walk.kubectl, "exec", pod, "--", "busybox", "timeout", "5", "busybox", "wget", "-qO-", f"http://{host}/"]
    )
    return "Welcome to nginx" in done.stdout


def _node_addresses(walk: Walk) -> dict[str, str]:
    found = {}
    for node in walk.objects("nodes"):
        addresses = {item["type"]: item["address"] for item in node["status"]["addresses"]}
        found[node["metadata"]["name"]] = addresses["InternalIP"]
    return found


def _url(address: str) -> str:
    return f"http://{address}:{NODE_PORT}/"


def _wait_for_endpoints(walk: Walk, count: int) -> None:
    walk.wait(f"the service has {count} ready endpoints", lambda: len(_endpoints(walk)) == count)


def _endpoints(walk: Walk) -> set[str]:
    slices = walk.objects("endpointslices", "-l", "kubernetes.io/service-name=nginx-service")
    return {
        address
        for item in slices
        for endpoint in item.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready")
        for address in endpoint["addresses"]
    }


def balance(walk: Walk) -> None:
    """Requests through the NodePort, counted by the pods that served them."""
    pods = [pod["metadata"]["name"] for pod in walk.ready_pods()]
    before = {pod: _served(walk, pod) for pod in pods}
    addresses = list(walk.place.host_addresses.values())
    for number in range(_REQUESTS):
        fetch(_url(addresses[number % len(addresses)]))
    counts = walk.wait("every request is in a pod's log", lambda: _all_served(walk, pods, before))
    for pod, count in sorted(counts.items()):
        walk.say(f"  {pod} served {count} of {_REQUESTS} requests")
    walk.check(min(counts.values()) > 0, f"all {len(pods)} pods have served some")


def _served(walk: Walk, pod: str) -> int:
    return walk.ask("logs", pod).count('"GET / ')


def _all_served(walk: Walk, pods: list[str], before: dict[str, int]) -> Counter[str]:
    counts = Counter({pod: _served(walk, pod) - before[pod] for pod in pods})
    return counts if sum(counts.values()) >= _REQUESTS else Counter()


def labels(walk: Walk) -> None:
    """Re-labelling a pod takes it out of the Service and makes the ReplicaSet replace it."""
    pod = walk.ready_pods()[0]
    name, address = pod["metadata"]["name"], pod["status"]["podIP"]
    walk.show("label", "pod", name, "app=quarantine", "--overwrite")
    walk.wait("the ReplicaSet has replaced it", lambda: _exactly(walk, 4))
    walk.wait("it is out of the service", lambda: address not in _endpoints(walk) and len(_endpoints(walk)) == 4)
    walk.show("get", "pods", "--show-labels")
    walk.show("delete", "pod", name, "--grace-period=1")


def healing(walk: Walk) -> None:
    """A deleted pod is replaced; a killed process is restarted; a dead node's pods are re-created elsewhere."""
    victim = walk.ready_pods()[0]["metadata"]["name"]
    walk.show("delete", "pod", victim)
    walk.wait("another pod has taken its place", lambda: _exactly(walk, 4))
    _kill_process(walk)
    _lose_node(walk)


def _kill_process(walk: Walk) -> None:
    pod = walk.ready_pods()[0]
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    engine = ["ctr", "--address", str(walk.place.engines[node]), "--namespace", "k8s.io"]
    walk.shell(*engine, "tasks", "kill", "--signal", "SIGKILL", container)
    walk.wait(f"the kubelet has restarted {name}", lambda: _restarts(walk, name) == 1)
    walk.wait("four pods are Ready again", lambda: _exactly(walk, 4))
    walk.show("get", "pod", name)


def _restarts(walk: Walk, pod: str) -> int:
    found = walk.objects("pod", pod)[0]
    return int(found["status"].get("containerStatuses", [{}])[0].get("restartCount", 0))


def _lose_node(walk: Walk) -> None:
    # A shorter toleration than the default of five minutes, so that nobody has to wait that long.
    walk.show("patch", "deployment", "nginx-deployment", "-p", _SHORT_TOLERATIONS)
    walk.show("rollout", "status", "deployment/nginx-deployment", "--timeout=90s")
    walk.wait("only the new pods are left", lambda: _exactly(walk, 4))
    node = walk.ready_pods()[0]["spec"]["nodeName"]
    walk.pyb("node", "stop", node, "--name", walk.place.cluster)
    walk.wait(f"{node} is NotReady", lambda: condition(walk.objects("node", node)[0], "Ready") != "True", 120)
    walk.show("get", "nodes")
    taints = walk.objects("node", node)[0]["spec"].get("taints", [])
    walk.check(any("unreachable" in taint["key"] for taint in taints), f"{node} is tainted as unreachable")
    walk.wait("its pods run on other nodes", lambda: _four_elsewhere(walk, node), 120)
    walk.show("get", "pods", "-o", "wide")
    _wait_for_endpoints(walk, 4)
    walk.pyb("node", "start", node, "--name", walk.place.cluster)
    walk.wait(f"{node} is Ready again", lambda: condition(walk.objects("node", node)[0], "Ready") == "True")
    walk.wait("what was left on it is cleaned up", lambda: _four_pods_at_all(walk))


_SHORT_TOLERATIONS = (
    '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":2,"tolerations":['
    '{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":2},'
    '{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":2}]}}}}'
)


def _four_elsewhere(walk: Walk, node: str) -> bool:
    ready = [pod for pod in walk.ready_pods() if pod["spec"]["nodeName"] != node]
    return len(ready) == 4


def _four_pods_at_all(walk: Walk) -> bool:
    return len(walk.objects("pods", "-l", "app=nginx")) == 4


ALL = (nodes, deployment, scale, service, labels, healing)
