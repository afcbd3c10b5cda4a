"""What verbs decide before they act: labels, taints, draining, rollouts, conditions, failures."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import Status, StatusCause, StatusDetails
from pybernetes.client import Unreachable
from pybernetes.kubectl import drain, label, rollout, taint, wait
from pybernetes.kubectl.failures import CommandError, explained
from pybernetes.kubectl.port_forward import ports
from pybernetes.kubectl.rollout_status import status_line
from pybernetes.kubectl.set import image_patch
from pybernetes.kubectl.words import parse


def test_labels_are_told_apart_from_objects() -> None:
    objects, wanted = label.split(["pod", "web", "a=b", "old-"])
    assert objects == ["pod", "web"]
    assert (wanted.pairs, wanted.removed) == ({"a": "b"}, ("old",))
    assert label.difference({"a": "x", "old": "1"}, wanted) == {"a": "b", "old": None}
    assert label.conflicts({"a": "x"}, wanted) == ["'a' already has a value (x), and --overwrite is false"]


def test_taints() -> None:
    present = [{"key": "a", "value": "1", "effect": "NoSchedule"}]
    with pytest.raises(CommandError, match="node n already has a taint"):
        taint.changed("n", present, taint.parse(["a=2:NoSchedule"]), overwrite=False)
    changed = taint.changed("n", present, taint.parse(["a=2:NoSchedule"]), overwrite=True)
    assert changed == ([{"key": "a", "value": "2", "effect": "NoSchedule"}], "modified")
    assert taint.changed("n", present, taint.parse(["a-"]), overwrite=False) == ([], "untainted")
    with pytest.raises(CommandError, match='taint "b" not found'):
        taint.changed("n", present, taint.parse(["b-"]), overwrite=False)


def pod(name: str, owner: str = "", phase: str = "Running", **spec: Any) -> dict[str, Any]:
    owners = [{"kind": owner, "name": "owner", "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "ns", "ownerReferences": owners}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase}}


PODS = [
    pod("managed", "ReplicaSet"),
    pod("daemon", "DaemonSet"),
    pod("bare"),
    pod("data", "ReplicaSet", volumes=[{"name": "v", "emptyDir": {}}]),
    pod("done", phase="Succeeded"),
]


def test_drain_says_what_stands_in_the_way() -> None:
    plan = drain.sorted_out(PODS, parse([], drain.FLAGS), frozenset({"ns/owner"}))
    assert sorted(plan.errors.values()) == [["ns/bare"], ["ns/daemon"], ["ns/data"]]


def test_drain_takes_what_it_is_allowed_to() -> None:
    words = parse(["--force", "--ignore-daemonsets", "--delete-emptydir-data"], drain.FLAGS)
    plan = drain.sorted_out(PODS, words, frozenset({"ns/owner"}))
    assert [item["metadata"]["name"] for item in plan.evicted] == ["managed", "bare", "data", "done"]
    assert plan.errors == {}
    assert drain.listed(plan.warnings, "; ") == (
        "deleting Pods that declare no controller: ns/bare; ignoring DaemonSet-managed Pods: ns/daemon"
    )


def deployment(**status: int) -> dict[str, Any]:
    status = {"observedGeneration": 2, **status}
    return {"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 3}, "status": status}


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({"observedGeneration": 1}, "Waiting for deployment spec update to be observed..."),
        (
            {"updatedReplicas": 1},
            'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
        ),
        (
            {"updatedReplicas": 3, "replicas": 4},
            'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
        ),
        (
            {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2},
            'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
        ),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}, 'deployment "web" successfully rolled out'),
    ],
)
def test_how_far_a_rollout_is(status: dict[str, int], line: str) -> None:
    assert status_line(deployment(**status), "Deployment") == (line, "successfully" in line)


def test_a_rollout_that_has_failed_is_an_error() -> None:
    failed = deployment()
    failed["status"]["conditions"] = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]
    with pytest.raises(CommandError, match='deployment "web" exceeded its progress deadline'):
        status_line(failed, "Deployment")


def revision(number: int) -> dict[str, Any]:
    return {"metadata": {"annotations": {"deployment.kubernetes.io/revision": str(number)}}}


def test_which_revision_undo_goes_back_to() -> None:
    history = [revision(1), revision(3), revision(4)]
    assert rollout.earlier(history, 0, "") == revision(3)
    assert rollout.earlier(history, 1, "") == revision(1)
    with pytest.raises(CommandError, match="unable to find specified revision 2 in history"):
        rollout.earlier(history, 2, "")
    with pytest.raises(CommandError, match='no rollout history found for deployment "web"'):
        rollout.earlier(history[:1], 0, 'deployment "web"')


def test_conditions_count_only_for_the_newest_generation() -> None:
    obj = {"metadata": {"generation": 2}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert wait.wanted("condition=ready")(obj)
    assert not wait.wanted("condition=ready=false")(obj)
    assert not wait.wanted("condition=ready")({**obj, "status": {**obj["status"], "observedGeneration": 1}})
    assert wait.wanted("jsonpath={.metadata.generation}=2")(obj)
    assert wait.wanted("delete")(None)
    with pytest.raises(CommandError, match='unrecognized condition: "soon"'):
        wait.wanted("soon")


def test_images_of_named_containers() -> None:
    obj = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}}
    change = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "y"}]}}}}
    assert image_patch(obj, {"a": "y"}) == change == image_patch(obj, {"*": "y"})
    assert image_patch(obj, {"a": "x"}) == {}
    with pytest.raises(CommandError, match='unable to find container named "b"'):
        image_patch(obj, {"b": "y"})


def test_ports_to_forward() -> None:
    container = {"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}
    web = {"metadata": {"name": "web"}, "spec": {"containers": [container]}}
    service = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80, "targetPort": "http"}]}}
    assert [ports(text, web) for text in ("80", "9000:80", ":80", "9000:http")] == [
        (80, 80), (9000, 80), (0, 80), (9000, 8080),
    ]  # fmt: skip
    assert ports("80", web, service) == (80, 8080)


def test_failures_in_the_words_of_kubectl() -> None:
    cause = StatusCause(reason="FieldValueRequired", field="spec.a", message="Required value")
    details = StatusDetails(kind="Pod", name="x", causes=[cause])
    invalid = Status(reason="Invalid", details=details, message="...", code=422)
    assert explained(StatusError(invalid)).text == 'The Pod "x" is invalid: spec.a: Required value'
    details.causes.append(StatusCause(field="spec.b", message="Required value"))
    assert explained(StatusError(invalid)).text == (
        'The Pod "x" is invalid: \n* spec.a: Required value\n* spec.b: Required value'
    )
    unauthorized = StatusError(Status(reason="Unauthorized", message="Unauthorized", code=401))
    assert explained(unauthorized).text == "error: You must be logged in to the server (Unauthorized)"
    refused = explained(Unreachable("Cannot connect: Connect call failed"), "127.0.0.1:6443").text
    assert refused == (
        "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?"
    )
