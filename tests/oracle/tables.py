"""The objects that the recording `list-watch/tables` shows rows of: nothing there says how they were made.

One object for every printed state, in the order of the recorded resource versions as far as it shows. Used by `setup`.
"""

from __future__ import annotations

from typing import Any

_NS = "tables"
_LABELS = {"a": "b"}
_TEMPLATE = {
    "metadata": {"labels": _LABELS},
    "spec": {"containers": [{"name": "c", "image": "nginx"}, {"name": "d", "image": "side:1"}]},
}
_JOB = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "nginx"}]}}
Manifest = dict[str, Any]


def manifest(api_version: str, kind: str, name: str, namespace: str = _NS, **fields: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def tables() -> list[Manifest]:
    """All of them; those without a namespace come first."""
    return [*_cluster(), *_pods(), *_workloads(), *_network(), *_others()]


def capacity() -> Manifest:
    """The one that was made after all others."""
    return manifest("storage.k8s.io/v1", "CSIStorageCapacity", "cap", storageClassName="sc", capacity="1Gi")


def _node(name: str, ready: str, metadata: dict[str, Any] | None = None, **spec: Any) -> Manifest:
    info = {
        "kubeletVersion": "v1.36.2",
        "osImage": "Example Linux 1",
        "kernelVersion": "6.1.0",
        "architecture": "amd64",
        "containerRuntimeVersion": "containerd://2.0.0",
    }
    status: dict[str, Any] = {"nodeInfo": info}
    if ready:
        status["conditions"] = [{"type": "Ready", "status": ready}]
    if name == "tn1":
        addresses = {"InternalIP": "192.0.2.1", "ExternalIP": "203.0.113.1"}
        status["addresses"] = [{"type": kind, "address": address} for kind, address in addresses.items()]
    return manifest("v1", "Node", name, "", metadata=metadata or {}, spec=spec, status=status)


def _volume(name: str, phase: str, spec: dict[str, Any] | None = None, reason: str = "") -> Manifest:
    fields = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
        "hostPath": {"path": "/x"},
        **(spec or {}),
    }
    status = {"phase": phase, **({"reason": reason} if reason else {})}
    return manifest("v1", "PersistentVolume", name, "", spec=fields, status=status)


def _cluster() -> list[Manifest]:
    role = "node-role.kubernetes.io/"
    return [
        _node("tn1", "True", {"labels": {f"{role}control-plane": "", f"{role}worker": ""}}),
        _node("tn2", "False", {"labels": {"kubernetes.io/role": "legacy"}}, unschedulable=True),
        _node("tn3", ""),
        _node("tn4", "Unknown"),
        _volume("tpv1", "Available"),
        _volume(
            "tpv2",
            "Bound",
            {"storageClassName": "sc", "volumeMode": "Block", "claimRef": {"namespace": _NS, "name": "c1"}},
        ),
        _volume("tpv3", "Failed", reason="because"),
        manifest(
            "storage.k8s.io/v1",
            "StorageClass",
            "t-def",
            "",
            metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            provisioner="p.io",
            volumeBindingMode="WaitForFirstConsumer",
            allowVolumeExpansion=True,
        ),
        manifest("scheduling.k8s.io/v1", "PriorityClass", "t-pc", "", value=5),
    ]


def _state(ready: bool = False, restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": "c", "image": "nginx", "imageID": "", "ready": ready, "restartCount": restarts, "state": state}


def _pod(name: str, phase: str = "", statuses: list[dict[str, Any]] | None = None, **more: Any) -> Manifest:
    """`more`: fields of the spec, or of the status as `status`, or `node=""` for one that is not scheduled."""
    status = {**({"phase": phase} if phase else {}), **more.pop("status", {})}
    if statuses:
        status["containerStatuses"] = statuses
    spec = {"containers": [{"name": "c", "image": "nginx"}], **more}
    if node := spec.pop("node", "tn1"):
        spec["nodeName"] = node
    made = manifest("v1", "Pod", name, metadata={"labels": {"p": name}}, spec=spec)
    return {**made, "status": status} if status else made


_RUNNING = {"running": {}}
_INIT = [{"name": "i1", "image": "nginx"}, {"name": "i2", "image": "nginx"}]


def _init(count: int = 2, **state: Any) -> dict[str, Any]:
    statuses = [{**_state(**state), "name": "i1", "restartCount": state.pop("restarts", 0)}]
    return {
        "initContainers": _INIT[:count],
        "status": {"initContainerStatuses": statuses},
    }


def _ready(*types: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True"} for kind in ("Ready", *types)]}


_TWO_ADDRESSES = {"podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.2"}, {"ip": "fd00::2"}]}


def _pods() -> list[Manifest]:
    waiting = {name: {"waiting": {"reason": name}} for name in ("ContainerCreating", "CrashLoopBackOff")}
    pull = {"waiting": {"reason": "ImagePullBackOff"}}
    return [
        _pod("pending", node=""),
        _pod("scheduled"),
        _pod("running", "Running", [_state(True, **_RUNNING)], status={**_TWO_ADDRESSES, **_ready()}),
        _pod("restarted", "Running", [_restarted()], status={"podIP": "10.0.0.3", **_ready()}),
        _pod("completed", "Succeeded", [_ended(0, reason="Completed")], restartPolicy="Never"),
        _pod("failed", "Failed", [_ended(1, reason="Error")], restartPolicy="Never"),
        _pod("exit-noreason", "Failed", [_ended(7)], restartPolicy="Never"),
        _pod("signal", "Failed", [_ended(137, signal=9)], restartPolicy="Never"),
        _pod("crashloop", "Running", [_state(restarts=5, **waiting["CrashLoopBackOff"])]),
        _pod("creating", "Pending", [_state(**waiting["ContainerCreating"])]),
        _pod("imagepull", "Pending", [_state(**pull)]),
        _pod("evicted", "Failed", status={"reason": "Evicted"}),
        _pod("nodelost", "Running", status={"reason": "NodeLost"}),
        _pod("notready", "Running", [_state(**_RUNNING)]),
        _pod("gated", node="", schedulingGates=[{"name": "a.b/c"}], status={}),
        _pod("gates", "Running", [_state(True, **_RUNNING)], **_gates()),
        _pod("init0", "Pending", [_state(waiting={"reason": "PodInitializing"})], **_init(2, running={})),
        _pod("init1", "Pending", **_init(2, restarts=2, waiting={"reason": "CrashLoopBackOff"})),
        _pod("initerr", "Pending", **_init(1, terminated={"exitCode": 3})),
        _pod("initsig", "Pending", **_init(1, terminated={"exitCode": 139, "signal": 11})),
        _pod("mixed", "Running", [_state(True, **_RUNNING), {**_ended(0, reason="Completed"), "name": "d"}], **_two()),
        _pod("sidecar", "Running", [_state(True, **_RUNNING)], **_sidecar()),
        _pod("terminating", "Running", [_state(True, **_RUNNING)], status=_ready()),
        _pod("unschedulable", "Pending", node="", status={"conditions": [_UNSCHEDULABLE]}),
    ]


_UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


def _ended(code: int, **more: Any) -> dict[str, Any]:
    return _state(terminated={"exitCode": code, **more})


def _restarted() -> dict[str, Any]:
    last = {"terminated": {"exitCode": 1, "finishedAt": "2020-01-01T00:00:00Z"}}
    return {**_state(True, 3, **_RUNNING), "lastState": last}


def _gates() -> dict[str, Any]:
    gates = [{"conditionType": "a.b/one"}, {"conditionType": "a.b/two"}]
    return {"readinessGates": gates, "status": _ready("a.b/one")}


def _two() -> dict[str, Any]:
    containers = [{"name": "c", "image": "nginx"}, {"name": "d", "image": "nginx"}]
    return {"containers": containers, "status": _ready()}


def _sidecar() -> dict[str, Any]:
    status = {**_state(True, **_RUNNING), "name": "side", "started": True}
    return {
        "initContainers": [{"name": "side", "image": "nginx", "restartPolicy": "Always"}],
        "status": {"initContainerStatuses": [status], **_ready()},
    }


def _workload(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any]) -> Manifest:
    common = {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}
    return manifest("apps/v1", kind, name, spec={**common, **spec}, status=status)


def _job(name: str, spec: dict[str, Any], status: dict[str, Any] | None = None) -> Manifest:
    made = manifest("batch/v1", "Job", name, spec={"template": _JOB, **spec})
    return {**made, "status": status} if status else made


def _workloads() -> list[Manifest]:
    started = {"startTime": "2020-01-01T00:00:00Z"}
    ended = {**started, "completionTime": "2020-01-01T00:01:00Z", "succeeded": 1}
    schedule = {"schedule": "*/5 * * * *", "timeZone": "Etc/UTC", "jobTemplate": {"spec": {"template": _JOB}}}
    counts = {"replicas": 2, "readyReplicas": 1}
    daemons = {"desiredNumberScheduled": 3, "currentNumberScheduled": 2, "numberReady": 1, "updatedNumberScheduled": 2}
    selecting = {**_TEMPLATE, "spec": {**_TEMPLATE["spec"], "nodeSelector": {"x": "y", "w": "z"}}}
    return [
        _workload(
            "Deployment",
            "d",
            {"replicas": 3},
            {"replicas": 4, "updatedReplicas": 3, "readyReplicas": 2, "availableReplicas": 1, "unavailableReplicas": 3},
        ),
        _workload("ReplicaSet", "rs", {"replicas": 3}, counts),
        manifest(
            "v1",
            "ReplicationController",
            "rc",
            spec={"replicas": 3, "selector": _LABELS, "template": _TEMPLATE},
            status=counts,
        ),
        _workload("StatefulSet", "sts", {"replicas": 3, "serviceName": "s"}, counts),
        _workload(
            "DaemonSet", "ds", {"template": selecting}, {**daemons, "numberAvailable": 1, "numberMisscheduled": 0}
        ),
        _job("j-done", {}, {**ended, "conditions": _conditions("SuccessCriteriaMet", "Complete")}),
        _job("j-fail", {}, {**started, "failed": 1, "conditions": _conditions("FailureTarget", "Failed")}),
        _job("j-new", {}),
        _job("j-par", {"parallelism": 3}),
        _job("j-run", {"completions": 3}, {**started, "active": 1, "succeeded": 1}),
        _job("j-sus", {"suspend": True}, {"conditions": _conditions("Suspended")}),
        manifest("batch/v1", "CronJob", "cj", spec=schedule),
        manifest(
            "batch/v1",
            "CronJob",
            "cj2",
            spec={"schedule": "@daily", "suspend": True, "jobTemplate": {"spec": {"template": _JOB}}},
            status={"active": [{"name": "x"}], "lastScheduleTime": "2020-01-01T00:00:00Z"},
        ),
    ]


def _conditions(*types: str) -> list[dict[str, Any]]:
    return [{"type": kind, "status": "True", "lastTransitionTime": "2020-01-01T00:01:00Z"} for kind in types]


def _service(name: str, **spec: Any) -> Manifest:
    status = spec.pop("status", None)
    made = manifest("v1", "Service", name, spec={"ports": [{"port": 80}], **spec})
    return {**made, "status": status} if status else made


def _network() -> list[Manifest]:
    addresses = [{"ip": f"10.0.0.{number}"} for number in range(1, 6)]
    balanced = {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}, {"hostname": "lb.example"}]}}
    node_port = [{"port": 80, "nodePort": 30500}]
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": _backend("s")}]}}
    hosts = ("a.example", "b.example", "c.example", "d.example")
    return [
        _service("cip", clusterIP="10.96.50.1", selector={"a": "b", "c": "d"}),
        _service("nosel", clusterIP="10.96.50.2", ports=[{"port": 80, "name": "a"}, _DNS_PORT]),
        _service("headless", clusterIP="None"),
        _service("headless-np", clusterIP="None", ports=[], selector=_LABELS),
        _service("np", clusterIP="10.96.50.3", type="NodePort", ports=node_port),
        _service("lb", clusterIP="10.96.50.4", type="LoadBalancer", ports=[{"port": 80, "nodePort": 30501}]),
        _service(
            "lbip",
            clusterIP="10.96.50.5",
            type="LoadBalancer",
            ports=[{"port": 80, "nodePort": 30502}],
            externalIPs=["198.51.100.1"],
            status=balanced,
        ),
        _service("ext", type="ExternalName", externalName="x.example", ports=[]),
        _service("extip", clusterIP="10.96.50.6", externalIPs=["198.51.100.1", "198.51.100.2"]),
        manifest("v1", "Endpoints", "ep", subsets=[{"addresses": addresses, "ports": [{"port": 80}]}]),
        manifest("v1", "Endpoints", "ep0"),
        manifest(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "es",
            addressType="IPv4",
            endpoints=[{"addresses": [f"10.0.0.{number}"]} for number in range(1, 5)],
            ports=[{"name": f"p{port}", "port": port} for port in range(80, 84)],
        ),
        manifest("discovery.k8s.io/v1", "EndpointSlice", "es0", addressType="IPv4", endpoints=[]),
        manifest(
            "networking.k8s.io/v1",
            "Ingress",
            "i1",
            spec={
                "ingressClassName": "nginx",
                "tls": [{"hosts": ["a"]}],
                "rules": [{**rule, "host": h} for h in hosts],
            },
            status={"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}, {"hostname": "h.example"}]}},
        ),
        manifest("networking.k8s.io/v1", "Ingress", "i2", spec={"defaultBackend": _backend("s")}),
        manifest("networking.k8s.io/v1", "NetworkPolicy", "np1", spec={"podSelector": {"matchLabels": _AB_CD}}),
        manifest("networking.k8s.io/v1", "NetworkPolicy", "np2", spec={"podSelector": {}}),
    ]


_AB_CD = {"a": "b", "c": "d"}
_DNS_PORT = {"port": 53, "protocol": "UDP", "name": "b"}


def _backend(name: str) -> dict[str, Any]:
    return {"service": {"name": name, "port": {"number": 80}}}


def _others() -> list[Manifest]:
    rbac, claim = "rbac.authorization.k8s.io", {"accessModes": ["ReadWriteOnce"]}
    claim["resources"] = {"requests": {"storage": "1Gi"}}  # type: ignore[assignment]
    target = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "sts", "uid": "u", "controller": True}
    bound = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    quota = {"pods": "100", "requests.cpu": "10", "limits.memory": "1Gi"}
    subjects = [{"kind": "User", "name": "u1"}, {"kind": "User", "name": "u2"}, {"kind": "Group", "name": "g"}]
    for subject in subjects:
        subject["apiGroup"] = rbac
    subjects.append({"kind": "ServiceAccount", "name": "s", "namespace": "n"})
    return [
        _claim("c1", {**claim, "storageClassName": "sc", "volumeName": "tpv2"}, bound),
        _claim("c2", {**claim, "storageClassName": ""}),
        _claim("c3", {**claim, "storageClassName": "", "volumeName": "gone"}, {"phase": "Lost"}),
        manifest(
            "autoscaling/v2", "HorizontalPodAutoscaler", "h1", spec=_scaling(target, 1, [_utilization("cpu", 80)])
        ),
        manifest("autoscaling/v2", "HorizontalPodAutoscaler", "h2", **_busy_autoscaler(target)),
        _budget("pdb1", {"minAvailable": 1}, 2),
        _budget("pdb2", {"maxUnavailable": "25%"}, 0),
        _budget("pdb3", {}, 0),
        manifest("v1", "Secret", "sec", stringData={"a": "1", "c": "2"}),
        manifest("v1", "ConfigMap", "cm", data={"a": "1"}, binaryData={"z": "AA=="}),
        manifest("v1", "PodTemplate", "pt", template=_TEMPLATE),
        manifest("v1", "LimitRange", "lr", spec={"limits": []}),
        manifest("v1", "ServiceAccount", "sa"),
        manifest("v1", "ResourceQuota", "rq", spec={"hard": quota}, status={"hard": quota, "used": _USED}),
        _event("e1", _FIRST_EVENT),
        _event("e2", _SECOND_EVENT),
        manifest("apps/v1", "ControllerRevision", "cr", revision=3, data={}, metadata={"ownerReferences": [owner]}),
        manifest(f"{rbac}/v1", "Role", "ro"),
        manifest(
            f"{rbac}/v1",
            "RoleBinding",
            "rb",
            roleRef={"apiGroup": rbac, "kind": "Role", "name": "ro"},
            subjects=subjects,
        ),
        manifest("coordination.k8s.io/v1", "Lease", "l", spec={"holderIdentity": "me"}),
        manifest("resource.k8s.io/v1", "ResourceClaim", "rcl", spec={"devices": {"requests": []}}),
    ]


_USED = {"pods": "24", "requests.cpu": "500m"}
_FIRST_EVENT = {
    "reason": "Started",
    "message": "started",
    "type": "Normal",
    "source": {"component": "kubelet", "host": "n"},
    "firstTimestamp": "2020-01-01T00:00:00Z",
    "lastTimestamp": "2020-01-01T00:05:00Z",
    "count": 3,
}
_SECOND_EVENT = {
    "reason": "R",
    "message": "n",
    "type": "Warning",
    "action": "A",
    "reportingComponent": "a.b/c",
    "reportingInstance": "i",
    "eventTime": "2020-01-01T00:00:00.000000Z",
    "series": {"count": 4, "lastObservedTime": "2020-01-01T00:05:00.000000Z"},
}


def _event(name: str, fields: dict[str, Any]) -> Manifest:
    about = {"kind": "Pod", "namespace": _NS, "name": "p", "apiVersion": "v1"}
    if name == "e1":
        about["fieldPath"] = "spec.containers{c}"
    return manifest("v1", "Event", name, involvedObject=about, **fields)


def _claim(name: str, spec: dict[str, Any], status: dict[str, Any] | None = None) -> Manifest:
    made = manifest("v1", "PersistentVolumeClaim", name, spec=spec)
    return {**made, "status": status} if status else made


def _budget(name: str, spec: dict[str, Any], allowed: int) -> Manifest:
    status = {"disruptionsAllowed": allowed, "currentHealthy": 3, "desiredHealthy": 1, "expectedPods": 3}
    spec = {**spec, "selector": {"matchLabels": _LABELS}}
    return manifest("policy/v1", "PodDisruptionBudget", name, spec=spec, status=status)


def _scaling(target: dict[str, Any], minimum: int, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    return {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": 5, "metrics": metrics}


def _utilization(name: str, value: int) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, "target": _percent(value)}}


def _percent(value: int) -> dict[str, Any]:
    return {"type": "Utilization", "averageUtilization": value}


def _busy_autoscaler(target: dict[str, Any]) -> dict[str, Any]:
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}}
    pods = {"metric": {"name": "qps"}, "target": {"type": "AverageValue", "averageValue": "10"}}
    metrics = [_utilization("cpu", 50), {"type": "Resource", "resource": memory}, {"type": "Pods", "pods": pods}]
    current = [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 33, "averageValue": "1"}}},
        {"type": "Resource", "resource": {"name": "memory", "current": {"averageValue": "77Mi"}}},
    ]
    status = {"currentReplicas": 3, "desiredReplicas": 3, "currentMetrics": current}
    return {"spec": _scaling(target, 2, metrics), "status": status}
