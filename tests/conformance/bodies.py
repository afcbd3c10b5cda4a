"""The objects that conformance tests create, with few words."""

from __future__ import annotations

from tests.conformance.driving import Json


def pod(name: str, labels: Json | None = None, simulate: str = "", **spec: object) -> Json:
    """A pod with one container; `simulate` is what the simulated runtime makes it do."""
    return {"metadata": {"name": name, **_metadata(labels, simulate)}, "spec": _spec(spec)}


def template(labels: Json, simulate: str = "", **spec: object) -> Json:
    """A pod template with one container."""
    return {"metadata": _metadata(labels, simulate), "spec": _spec(spec)}


def workload(name: str, labels: Json, replicas: int | None = 1, simulate: str = "", **spec: object) -> Json:
    """A Deployment, ReplicaSet, StatefulSet or (with no replicas) a DaemonSet; `spec` goes beside the template."""
    count = {} if replicas is None else {"replicas": replicas}
    body = {**count, "selector": {"matchLabels": labels}, "template": template(labels, simulate), **spec}
    return {"metadata": {"name": name, "labels": labels}, "spec": body}


def replication_controller(name: str, labels: Json, replicas: int, simulate: str = "") -> Json:
    """A ReplicationController, whose selector is a plain map."""
    body = {"replicas": replicas, "selector": labels, "template": template(labels, simulate)}
    return {"metadata": {"name": name, "labels": labels}, "spec": body}


def job(name: str, simulate: str, *, restart: str = "Never", **spec: object) -> Json:
    """A Job whose pods do what `simulate` says."""
    made = template({"job": name}, simulate, restartPolicy=restart)
    return {"metadata": {"name": name}, "spec": {"template": made, **spec}}


def _metadata(labels: Json | None, simulate: str) -> Json:
    annotations = {"pybernetes.io/simulate": simulate} if simulate else {}
    return {"labels": labels or {}, "annotations": annotations}


def _spec(spec: Json) -> Json:
    return {"containers": [{"name": "c", "image": "registry.example/agnhost:2.53"}], **spec}
