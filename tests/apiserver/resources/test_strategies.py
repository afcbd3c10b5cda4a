"""What the strategies of all kinds make of a create, compared with what a real API server answered."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from oracle_files import decoded, encoded, kind_of_body, scenarios, steps

from pybernetes.api.kind_rows import KINDS
from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import from_builtins
from pybernetes.api.types.apps_v1 import StatefulSet, StatefulSetOrdinals, StatefulSetSpec
from pybernetes.api.types.meta_v1 import Condition
from pybernetes.api.types.networking_v1 import ServiceCIDR, ServiceCIDRStatus
from pybernetes.apiserver.resources.strategies import strategy_of

# Answers of these come from their handlers, not from a strategy.
HANDLED = ("authorization.", "subresources.")
# Time, names and base64 are placeholders in the records.
NOW = "<time>"


@pytest.mark.parametrize("scenario", [name for name in scenarios("defaults") if not name.startswith(HANDLED)])
def test_create_is_defaulted_as_upstream_does(scenario: str) -> None:
    for step in steps("defaults", scenario):
        kind = kind_of_body(step.body)
        if kind is None or step.method != "POST" or step.status != 201 or "certificatesigning" in scenario:
            continue
        obj = decoded(kind, step.body)
        obj.metadata.uid = step.answer["metadata"]["uid"]
        obj.metadata.creation_timestamp = NOW
        strategy = strategy_of(kind)
        strategy.default(obj)
        strategy.prepare_create(obj)
        expected = copy.deepcopy(step.answer)
        actual = encoded(obj)
        for document in (actual, expected):
            _forget_what_others_own(document)
        assert actual == expected, step.label


def _forget_what_others_own(document: dict[str, Any]) -> None:
    """Removes metadata of the server, what the allocators give out and what admission adds."""
    _drop_nulls(document)
    metadata = document["metadata"]
    for name in ("resourceVersion", "managedFields", "namespace", "name", "finalizers"):
        metadata.pop(name, None)
    if document["kind"] == "Service":
        _forget_allocations(document["spec"])
    elif document["kind"] == "Node":
        taints = document["spec"].pop("taints", [])
        document["taints"] = [taint for taint in taints if taint["key"] != "node.kubernetes.io/not-ready"]
    elif document["kind"] == "Pod":
        metadata.pop("labels", None)
        _forget_admission(document["spec"])


def _forget_allocations(spec: dict[str, Any]) -> None:
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"):
        spec.pop(name, None)
    for port in spec.get("ports", []):
        port.pop("nodePort", None)


def _forget_admission(spec: dict[str, Any]) -> None:
    for name in ("tolerations", "priority", "preemptionPolicy", "serviceAccount", "serviceAccountName"):
        spec.pop(name, None)
    spec["volumes"] = [v for v in spec.get("volumes", []) if not v["name"].startswith("kube-api-access")]
    for container in (*spec["containers"], *spec.get("initContainers", [])):
        mounts = container.pop("volumeMounts", [])
        container["mounts"] = [m for m in mounts if not m["name"].startswith("kube-api-access")]


def _drop_nulls(value: Any) -> None:
    """Go writes empty lists and times of some old fields as null; we leave them out."""
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
        for item in value.values():
            _drop_nulls(item)
    elif isinstance(value, list):
        for item in value:
            _drop_nulls(item)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.api_version}.{kind.name}")
def test_every_kind_survives_its_strategy_when_empty(kind: Any) -> None:
    strategy = strategy_of(kind)
    old, new = kind.type(), kind.type()
    strategy.default(old)
    strategy.default(new)
    strategy.prepare_create(old)
    strategy.prepare_update(new, old)
    strategy.prepare_status(new, old)
    assert set(strategy.fields(old)) == set(strategy.field_names)
    assert new.metadata.generation == old.metadata.generation


_LABELLED = {"metadata": {"labels": {"a": "b"}}}


@pytest.mark.parametrize(
    ("version", "kind_name", "changes", "generations"),
    [
        ("storage.k8s.io/v1", "CSIDriver", {"spec": {"requiresRepublish": True}}, (None, 1)),
        ("storage.k8s.io/v1", "CSIDriver", _LABELLED, (None, None)),
        ("networking.k8s.io/v1", "IngressClass", {"spec": {"controller": "a"}}, (1, 2)),
        ("scheduling.k8s.io/v1", "PriorityClass", {"description": "a"}, (1, 1)),
        ("discovery.k8s.io/v1", "EndpointSlice", _LABELLED, (1, 2)),
        ("apps/v1", "Deployment", {"metadata": {"annotations": {"a": "b"}}}, (1, 2)),
        ("apps/v1", "ReplicaSet", {"metadata": {"annotations": {"a": "b"}}}, (1, 1)),
    ],
)
def test_changes_are_counted_of_what_a_kind_counts(
    version: str, kind_name: str, changes: dict[str, Any], generations: tuple[int | None, int | None]
) -> None:
    kind = find_kind(version, kind_name)
    assert kind is not None
    strategy = strategy_of(kind)
    old, new = from_builtins({}, kind.type), from_builtins(changes, kind.type)
    strategy.default(old)
    strategy.prepare_create(old)
    strategy.default(new)
    strategy.prepare_update(new, old)
    assert (old.metadata.generation, new.metadata.generation) == generations


_TEMPLATES = "deprecated.daemonset.template.generation"


@pytest.mark.parametrize(
    ("given", "changes", "counts"),
    [
        ({}, {}, ("1", "1")),
        ({}, {"template": {"metadata": {"labels": {"a": "b"}}}}, ("1", "2")),
        ({}, {"updateStrategy": {"type": "OnDelete"}}, ("1", "1")),
        ({_TEMPLATES: "7"}, {"template": {"metadata": {"labels": {"a": "b"}}}}, ("7", "8")),
        ({_TEMPLATES: "-7"}, {}, ("1", "1")),
    ],
)
def test_daemon_sets_count_their_templates(
    given: dict[str, str], changes: dict[str, Any], counts: tuple[str, str]
) -> None:
    kind = find_kind("apps/v1", "DaemonSet")
    assert kind is not None
    strategy = strategy_of(kind)
    old = from_builtins({"metadata": {"annotations": given}}, kind.type)
    new = from_builtins({"metadata": {"annotations": {_TEMPLATES: "40"}}, "spec": changes}, kind.type)
    for obj in (old, new):
        strategy.default(obj)
    strategy.prepare_create(old)
    strategy.prepare_update(new, old)
    assert (old.metadata.annotations[_TEMPLATES], new.metadata.annotations[_TEMPLATES]) == counts


@pytest.mark.parametrize(
    ("version", "kind_name", "spec", "name"),
    [
        ("coordination.k8s.io/v1", "Lease", {"strategy": "OldestEmulationVersion", "preferredHolder": "a"}, "strategy"),
        ("apps/v1", "StatefulSet", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}, "maxUnavailable"),
        ("storage.k8s.io/v1", "CSIDriver", {"preventPodSchedulingIfMissing": True}, "preventPodSchedulingIfMissing"),
    ],
)
def test_fields_of_features_that_are_off_are_dropped(
    version: str, kind_name: str, spec: dict[str, Any], name: str
) -> None:
    kind = find_kind(version, kind_name)
    assert kind is not None
    strategy = strategy_of(kind)
    plain, created, updated = (from_builtins({"spec": each}, kind.type) for each in ({}, spec, spec))
    for obj in (plain, created, updated):
        strategy.default(obj)
    strategy.prepare_create(plain)
    strategy.prepare_create(created)
    strategy.prepare_update(updated, plain)
    assert f'"{name}"' in json.dumps(spec)
    assert created.spec == updated.spec  # type: ignore[attr-defined]
    assert f'"{name}"' not in json.dumps(encoded(created))


def test_defaulting_twice_changes_nothing() -> None:
    for scenario in scenarios("defaults"):
        for step in steps("defaults", scenario):
            kind = kind_of_body(step.body)
            if kind is None or step.status != 201 or "certificatesigning" in scenario:
                continue
            once, twice = decoded(kind, step.body), decoded(kind, step.body)
            strategy_of(kind).default(once)
            strategy_of(kind).default(twice)
            strategy_of(kind).default(twice)
            assert once == twice, step.label


@pytest.mark.parametrize(
    ("resource", "is_left_alone"),
    [
        ("customresourcedefinitions.apiextensions.k8s.io", False),
        ("apiservices.apiregistration.k8s.io", True),
        ("nodes", False),
        ("deployments.apps", True),
        ("servicecidrs.networking.k8s.io", True),
    ],
)
def test_what_a_status_may_bring_along(resource: str, is_left_alone: bool) -> None:
    kind = next(kind for kind in KINDS if kind.group_resource == resource)
    old, new = kind.type(), kind.type()
    new.metadata.labels = {"a": "b"}
    strategy_of(kind).prepare_status(new, old)
    assert (not new.metadata.labels) is is_left_alone


def test_ordinals_start_somewhere() -> None:
    stateful_set = StatefulSet(spec=StatefulSetSpec(ordinals=StatefulSetOrdinals()))
    kind = next(kind for kind in KINDS if kind.type is StatefulSet)
    strategy_of(kind).default(stateful_set)
    assert stateful_set.spec.ordinals == StatefulSetOrdinals(start=0)


def test_who_writes_a_range_of_services_says_what_its_status_is() -> None:
    kind = next(kind for kind in KINDS if kind.resource == "servicecidrs")
    given = ServiceCIDRStatus(conditions=[Condition(type="Ready", status="True")])
    old, new = ServiceCIDR(), ServiceCIDR(status=given)
    strategy_of(kind).prepare_create(new)
    strategy_of(kind).prepare_update(new, old)
    assert new.status == given


def test_what_a_put_creates() -> None:
    """Kinds that are made by whoever keeps them up to date, and those that nobody dared to change."""
    made = {kind.group_resource for kind in KINDS if "update" in kind.verbs and strategy_of(kind).creates_on_update}
    rbac = "rbac.authorization.k8s.io"
    assert made == {
        *("endpoints", "events", "events.events.k8s.io", "leases.coordination.k8s.io", "limitranges", "services"),
        *(f"{name}.{rbac}" for name in ("roles", "clusterroles", "rolebindings", "clusterrolebindings")),
        "runtimeclasses.node.k8s.io",
    }
