"""Rows of every kind: as many cells as columns, and what they say of objects that are in use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import from_builtins
from pybernetes.apiserver.conversion import storage_kind
from pybernetes.apiserver.printing.table import printer_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BORN = "2025-12-31T23:59:50Z"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.group_resource)
def test_the_emptiest_object_fills_its_columns(kind: Kind) -> None:
    printer = printer_of(kind)
    cells = printer.row(storage_kind(kind).type(), NOW)["cells"]
    # Upstream gives IPAddresses an age without a column for it.
    assert len(cells) == len(printer.columns) + (kind.resource == "ipaddresses")


def row(api_version: str, name: str, **document: Any) -> list[Any]:
    kind = find_kind(api_version, name)
    assert kind is not None
    head = {"kind": name, "apiVersion": api_version}
    metadata = {"name": "x", "creationTimestamp": BORN, **document.pop("metadata", {})}
    obj = from_builtins({**head, "metadata": metadata, **document}, kind.type)
    cells: list[Any] = printer_of(kind).row(obj, NOW)["cells"]
    return cells


TEMPLATE = {"spec": {"containers": [{"name": "c", "image": "nginx"}, {"name": "d", "image": "side:1"}]}}
SELECTOR = {"matchLabels": {"a": "b"}}


def test_workloads() -> None:
    status = {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}
    spec = {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE}
    assert row("apps/v1", "Deployment", spec=spec, status=status) == [
        *("x", "2/3", 3, 1, "10s", "c,d", "nginx,side:1", "a=b")
    ]
    job = {"completions": 3, "selector": SELECTOR, "template": TEMPLATE}
    done = {"startTime": "2025-12-31T23:00:00Z", "completionTime": "2025-12-31T23:00:42Z", "succeeded": 3}
    complete = [{"type": "Complete", "status": "True"}]
    assert row("batch/v1", "Job", spec=job, status={**done, "conditions": complete})[1:4] == ["Complete", "3/3", "42s"]
    assert row("batch/v1", "Job", spec={"parallelism": 3})[1:4] == ["Running", "0/1 of 3", ""]


def test_services() -> None:
    spec = {
        "type": "NodePort",
        "clusterIPs": ["10.96.0.9"],
        "ports": [{"port": 80, "nodePort": 30500, "protocol": "TCP"}],
    }
    assert row("v1", "Service", spec=spec)[1:5] == ["NodePort", "10.96.0.9", "<none>", "80:30500/TCP"]
    balanced = {"loadBalancer": {"ingress": [{"hostname": "lb.example"}, {"ip": "203.0.113.5"}]}}
    spec = {"type": "LoadBalancer", "externalIPs": ["198.51.100.1"]}
    assert row("v1", "Service", spec=spec, status=balanced)[3] == "203.0.113.5,lb.example,198.51.100.1"
    assert row("v1", "Service", spec={"type": "LoadBalancer"})[3] == "<pending>"


def test_an_ingress_shows_three_hosts() -> None:
    rules = [{"host": f"{name}.example"} for name in "abcd"]
    assert row("networking.k8s.io/v1", "Ingress", spec={"rules": rules, "tls": [{}]})[1:5] == [
        *("<none>", "a.example,b.example,c.example + 1 more...", "", "80, 443")
    ]
    assert row("networking.k8s.io/v1", "Ingress", spec={"rules": [{}]})[2] == "*"


def test_nodes() -> None:
    labels = {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "legacy"}
    info = {"kernelVersion": "6.1.0", "architecture": "amd64", "kubeletVersion": "v1.36.2"}
    conditions = [{"type": "Ready", "status": "Unknown"}]
    status = {"conditions": conditions, "nodeInfo": info, "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}
    assert row("v1", "Node", metadata={"labels": labels}, spec={"unschedulable": True}, status=status) == [
        *("x", "NotReady,SchedulingDisabled", "legacy,worker", "10s", "v1.36.2"),
        *("192.0.2.1", "<none>", "<unknown>", "6.1.0 (amd64)", "<unknown>"),
    ]


def test_quotas_show_what_is_used() -> None:
    hard = {"pods": "100", "requests.cpu": "10", "limits.memory": "1Gi"}
    status = {"hard": hard, "used": {"pods": "24", "requests.cpu": "0.5"}}
    assert row("v1", "ResourceQuota", status=status)[1:3] == [
        *("pods: 24/100, requests.cpu: 500m/10", "limits.memory: 0/1Gi")
    ]


def test_autoscalers_show_two_metrics() -> None:
    def metric(name: str, target: dict[str, Any]) -> dict[str, Any]:
        return {"type": "Resource", "resource": {"name": name, "target": target}}

    metrics = [
        metric("cpu", {"type": "Utilization", "averageUtilization": 50}),
        metric("memory", {"type": "AverageValue", "averageValue": "100Mi"}),
        {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "5"}}},
    ]
    measured = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 33}}}]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "maxReplicas": 5, "metrics": metrics}
    shown = row("autoscaling/v2", "HorizontalPodAutoscaler", spec=spec, status={"currentMetrics": measured})
    assert shown[1:4] == ["Deployment/d", "cpu: 33%/50%, memory: <unknown>/100Mi + 1 more...", "<unset>"]


def test_events_count_by_their_series() -> None:
    about = {"kind": "Pod", "name": "p"}
    shown = row("v1", "Event", involvedObject=about, firstTimestamp=BORN, message=" m \n", reportingComponent="kubelet")
    assert shown == ["10s", "", "", "pod/p", "", "kubelet", "m", "10s", 1, "x"]


def test_a_secret_s_values_are_never_shown() -> None:
    assert row("v1", "Secret", type="Opaque", data={"password": "c2VjcmV0"}) == ["x", "Opaque", 1, "10s"]


@pytest.mark.parametrize(
    ("type_", "target", "measured", "shown"),
    [
        ("External", {"value": "100"}, None, "<unknown>/100"),
        ("External", {"value": "100"}, {"averageValue": "5"}, "<nil>/100"),
        ("External", {"averageValue": "10"}, {"value": "5"}, "<unknown>/10 (avg)"),
        ("Object", {"averageValue": "10"}, {"averageValue": "5"}, "5/10 (avg)"),
        ("Pods", {"averageValue": "1500m"}, {"averageValue": "1"}, "1/1500m"),
        ("Resource", {"averageValue": "100Mi"}, {"averageUtilization": 50}, "cpu: <nil>/100Mi"),
        ("Resource", {"averageUtilization": 80}, {"averageValue": "1"}, "cpu: <unknown>/80%"),
        ("Bogus", {}, None, "<unknown type>"),
    ],
)
def test_what_autoscalers_look_at(
    type_: str, target: dict[str, Any], measured: dict[str, Any] | None, shown: str
) -> None:
    field, named = type_.lower(), {"name": "cpu"} if type_ == "Resource" else {"metric": {"name": "m"}}
    spec = {"maxReplicas": 3, "metrics": [{"type": type_, field: {**named, "target": {"type": "Value", **target}}}]}
    status = {"currentMetrics": [{"type": type_, field: {**named, "current": measured}}] if measured else []}
    cells = row("autoscaling/v2", "HorizontalPodAutoscaler", spec=spec, status=status)
    assert cells[2] == shown
