"""The standards by their versions, and what of a namespace and its pods is looked at again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.admission_plugins.test_plugins import make, writing

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Namespace, Pod
from pybernetes.apiserver.admission_plugins.pod_security import PodSecurity, standard_of
from pybernetes.apiserver.admission_plugins.pod_security_standards.levels import violations

MODE = "pod-security.kubernetes.io/"


def reasons(level: str, minor: int | None, annotations: dict[str, str] | None = None, **spec: Any) -> list[str]:
    pod = make(Pod, metadata={"annotations": annotations or {}}, spec={"containers": [{"name": "c"}], **spec})
    return [violation.reason for violation in violations(level, minor, pod.metadata, pod.spec)]


def kernel(*names: str) -> dict[str, Any]:
    return {"securityContext": {"sysctls": [{"name": name, "value": "1"} for name in names]}}


@pytest.mark.parametrize(
    ("minor", "spec", "found"),
    [
        (26, kernel("net.ipv4.ip_local_reserved_ports"), True),
        (27, kernel("net.ipv4.ip_local_reserved_ports"), False),
        (28, kernel("net.ipv4.tcp_keepalive_time"), True),
        (29, kernel("net.ipv4.tcp_keepalive_time"), False),
        (31, kernel("net.ipv4.tcp_rmem"), True),
        (None, kernel("net.ipv4.tcp_rmem"), False),
        (30, {"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}, True),
        (31, {"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}, False),
        (18, {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, False),
        (19, {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, True),
        (34, {"hostUsers": False, "containers": [{"name": "c", "securityContext": {"procMount": "Unmasked"}}]}, True),
        (35, {"hostUsers": False, "containers": [{"name": "c", "securityContext": {"procMount": "Unmasked"}}]}, False),
        (33, {"containers": [{"name": "c", "livenessProbe": {"tcpSocket": {"port": 1, "host": "h"}}}]}, False),
        (34, {"containers": [{"name": "c", "livenessProbe": {"tcpSocket": {"port": 1, "host": "h"}}}]}, True),
    ],
)
def test_the_baseline_of_a_version_knows_what_was_known_then(minor: int | None, spec: dict, found: bool) -> None:
    assert bool(reasons("baseline", minor, **spec)) is found


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (7, ["runAsNonRoot != true"]),
        (8, ["allowPrivilegeEscalation != false", "runAsNonRoot != true"]),
        (19, ["allowPrivilegeEscalation != false", "runAsNonRoot != true", "seccompProfile"]),
        (
            22,
            [
                "allowPrivilegeEscalation != false",
                "unrestricted capabilities",
                "runAsNonRoot != true",
                "seccompProfile",
            ],
        ),
    ],
)
def test_the_restrictions_grew_with_the_versions(minor: int, expected: list[str]) -> None:
    assert reasons("restricted", minor) == expected


def test_what_restrictions_replace_holds_as_long_as_they_did_not_exist() -> None:
    adding = [{"name": "c", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]
    assert "non-default capabilities" in reasons("restricted", 21, containers=adding)
    assert "non-default capabilities" not in reasons("restricted", 22, containers=adding)
    root = {"securityContext": {"runAsNonRoot": True, "runAsUser": 0}}
    assert ("runAsUser=0" in reasons("restricted", 22, **root), "runAsUser=0" in reasons("restricted", 23, **root)) == (
        False,
        True,
    )


def test_windows_is_spared_what_it_does_not_know_since_its_pods_say_that_they_are() -> None:
    windows = {"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}}
    assert reasons("restricted", 24, **windows) == [
        "allowPrivilegeEscalation != false",
        "unrestricted capabilities",
        "seccompProfile",
    ]
    assert reasons("restricted", 25, **windows) == []


def test_seccomp_was_an_annotation_once() -> None:
    notes = {"container.seccomp.security.alpha.kubernetes.io/c": "unconfined"}
    assert reasons("baseline", 18, notes) == ["seccompProfile"]
    assert reasons("baseline", 19, notes) == []


@pytest.mark.parametrize(
    ("labels", "mode", "standard"),
    [
        ({"enforce": "bogus"}, "enforce", "restricted:latest"),
        ({"enforce": "baseline", "enforce-version": "x"}, "enforce", "baseline:latest"),
        ({"audit": "bogus", "audit-version": "v1.30"}, "audit", "privileged:v1.30"),
        ({"enforce": "baseline", "enforce-version": "v1.25"}, "warn", "baseline:v1.25"),
        ({"enforce": "baseline", "enforce-version": "v1.25", "warn-version": "v1.30"}, "warn", "baseline:v1.30"),
        ({"enforce": "restricted", "warn": "privileged"}, "warn", "privileged:latest"),
        ({"enforce": "bogus"}, "warn", "privileged:latest"),
    ],
)
def test_what_labels_ask_for(labels: dict[str, str], mode: str, standard: str) -> None:
    assert str(standard_of({MODE + key: value for key, value in labels.items()}, mode)) == standard


def labelled(**labels: str) -> Namespace:
    return make(Namespace, "ns", metadata={"labels": {MODE + key: value for key, value in labels.items()}})


async def test_labels_that_were_wrong_may_stay_but_not_change(reader) -> None:
    plugin = PodSecurity(reader)
    await plugin.validate(writing("UPDATE", labelled(enforce="bogus"), labelled(enforce="bogus")))
    with pytest.raises(StatusError, match="must be one of"):
        await plugin.validate(writing("UPDATE", labelled(enforce="bogus2"), labelled(enforce="bogus")))


async def test_of_pods_that_are_there_is_told_only_when_it_becomes_stricter(reader) -> None:
    plugin = PodSecurity(reader)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}
    hosted = {"hostNetwork": True, "containers": []}
    reader.objects += [
        make(Pod, "b", "ns", metadata={"ownerReferences": [owner]}, spec=hosted),
        make(Pod, "a", "ns", metadata={"ownerReferences": [owner]}, spec=hosted),
        make(Pod, "c", "ns", spec={"containers": [], "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
    ]

    async def told(new: Namespace, old: Namespace) -> list[str]:
        request = writing("UPDATE", new, old)
        await plugin.validate(request)
        return request.warnings

    assert await told(labelled(enforce="baseline"), labelled()) == [
        'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 1 other pod): host namespaces",
        "c: hostPath volumes",
    ]
    assert await told(labelled(enforce="baseline"), labelled(enforce="restricted")) == []
    changed = {"enforce-version": "v1.30"}
    assert len(await told(labelled(enforce="baseline", **changed), labelled(enforce="restricted"))) == 3


async def test_a_pod_that_may_not_be_any_more_can_be_annotated_but_gets_no_other_image(reader) -> None:
    plugin = PodSecurity(reader)
    reader.objects.append(labelled(enforce="baseline"))

    def running(image: str, **annotations: str) -> Pod:
        spec = {"hostNetwork": True, "containers": [{"name": "c", "image": image}]}
        return make(Pod, "p", "ns", metadata={"annotations": annotations}, spec=spec)

    await plugin.validate(writing("UPDATE", running("a", note="x"), running("a")))
    with pytest.raises(StatusError, match="violates PodSecurity"):
        await plugin.validate(writing("UPDATE", running("b"), running("a")))
