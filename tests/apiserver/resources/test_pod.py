"""What the server fills into a new pod, and what it makes of words of old."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.objects import from_builtins, to_builtins
from pybernetes.api.types.core_v1 import Pod
from pybernetes.apiserver.resources.pod import default_pod, prepare_create, prepare_status


def new_pod(spec: dict[str, Any], container: dict[str, Any] | None = None, **metadata: Any) -> tuple[Pod, list[str]]:
    """A pod of one container as it would be stored, and what its maker is told."""
    containers = [{"name": "c", "image": "i", **(container or {})}]
    pod = from_builtins({"metadata": {"name": "p", **metadata}, "spec": {"containers": containers, **spec}}, Pod)
    default_pod(pod)
    return pod, prepare_create(pod)


CPU = {"requests": {"cpu": "100m"}, "limits": {"cpu": "1", "memory": "1Gi"}}


@pytest.mark.parametrize(
    ("whole", "container", "requests", "limits"),
    [
        (
            {"limits": {"cpu": "2", "memory": "2Gi"}},
            CPU,
            {"cpu": "100m", "memory": "1Gi"},
            {"cpu": "2", "memory": "2Gi"},
        ),
        ({"limits": {"cpu": "2"}}, CPU, {"cpu": "100m", "memory": "1Gi"}, {"cpu": "2"}),
        ({"limits": {"cpu": "2"}}, {}, {"cpu": "2"}, {"cpu": "2"}),
        ({"requests": {"cpu": "2"}}, CPU, {"cpu": "2"}, {}),
        ({}, CPU, {}, {}),
        (
            {"requests": {"cpu": "1"}},
            {"limits": {"cpu": "1", "hugepages-2Mi": "4Mi"}},
            {"cpu": "1", "hugepages-2Mi": "4Mi"},
            {"hugepages-2Mi": "4Mi"},
        ),
        ({"limits": {"cpu": "2"}}, {"limits": {"example.com/gpu": "1"}}, {"cpu": "2"}, {"cpu": "2"}),
    ],
)
def test_what_a_pod_asks_for_as_a_whole_follows_from_its_containers(
    whole: dict[str, Any], container: dict[str, Any], requests: dict[str, str], limits: dict[str, str]
) -> None:
    resources = new_pod({"resources": whole}, {"resources": container})[0].spec.resources
    assert resources is not None
    assert (resources.requests, resources.limits) == (requests, limits)


PROFILE = "container.apparmor.security.beta.kubernetes.io/c"
OLD = f'metadata.annotations[{PROFILE}]: deprecated since v1.30; use the "appArmorProfile" field instead'


@pytest.mark.parametrize(
    ("annotation", "spec", "field", "said"),
    [
        ("unconfined", {}, {"type": "Unconfined"}, [OLD]),
        ("localhost/x", {}, {"type": "Localhost", "localhostProfile": "x"}, [OLD]),
        ("localhost/", {}, None, [OLD]),
        ("runtime/default", {"securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}, None, []),
        ("runtime/default", {"os": {"name": "windows"}}, None, []),
    ],
)
def test_a_container_gets_the_profile_that_only_an_annotation_names(
    annotation: str, spec: dict[str, Any], field: dict[str, Any] | None, said: list[str]
) -> None:
    pod, warnings = new_pod(spec, annotations={PROFILE: annotation})
    context = pod.spec.containers[0].security_context
    profile = context.app_armor_profile if context is not None else None
    assert (to_builtins(profile) if profile is not None else None, warnings) == (field, said)


def test_a_field_that_is_set_is_left_alone() -> None:
    own = {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}
    assert new_pod({}, own, annotations={PROFILE: "unconfined"})[1] == []


def test_signals_that_nobody_sends_yet_are_dropped() -> None:
    signal = {"lifecycle": {"stopSignal": "SIGUSR1"}}
    assert new_pod({}, signal)[0].spec.containers[0].lifecycle is None
    hooked = {"lifecycle": {"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}}}
    lifecycle = new_pod({}, hooked)[0].spec.containers[0].lifecycle
    assert lifecycle is not None
    assert to_builtins(lifecycle) == {"preStop": {"sleep": {"seconds": 1}}}


def test_annotations_that_once_held_init_containers_are_dropped() -> None:
    pod, _ = new_pod({}, annotations={"pod.beta.kubernetes.io/init-containers": "[]", "a": "b"})
    assert pod.metadata.annotations == {"a": "b"}


def test_quantities_are_written_in_one_way_wherever_they_stand() -> None:
    reference = {"resourceFieldRef": {"containerName": "c", "resource": "limits.cpu", "divisor": "1000m"}}
    status = {"containerStatuses": [{"name": "c", "resources": {"limits": {"cpu": "0.5"}}}]}
    document = {"spec": {"containers": [{"env": [{"name": "A", "valueFrom": reference}]}]}, "status": status}
    pod = from_builtins(document, Pod)
    default_pod(pod)
    source = pod.spec.containers[0].env[0].value_from
    assert source is not None
    assert source.resource_field_ref is not None
    assert source.resource_field_ref.divisor == "1"
    report = pod.status.container_statuses[0].resources
    assert report is not None
    assert report.limits == {"cpu": "500m"}


def test_what_is_reported_of_features_that_are_off_is_dropped() -> None:
    mounts = [{"name": "v", "mountPath": "/v", "volumeStatus": {"image": {"imageRef": "r"}}}]
    status = {"containerStatuses": [{"name": "c", "volumeMounts": mounts}]}
    old, new = new_pod({})[0], from_builtins({"status": status}, Pod)
    prepare_status(new, old)
    assert to_builtins(new.status.container_statuses[0].volume_mounts[0]) == {"name": "v", "mountPath": "/v"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("reg.example.com:5000/a/b__c", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
        ("reg.example.com:5000/a:1", "IfNotPresent"),
        # None of these can be the name of an image, and so none has the tag that is meant where there is none.
        ("Nginx", "IfNotPresent"),
        ("reg.example.com/A:latest", "IfNotPresent"),
        (" ", "IfNotPresent"),
        ("a" * 256, "IfNotPresent"),
    ],
)
def test_only_images_that_may_change_are_always_pulled(image: str, policy: str) -> None:
    assert new_pod({}, {"image": image})[0].spec.containers[0].image_pull_policy == policy


def test_a_file_of_variables_has_to_be_there_unless_it_is_said_to_be_optional() -> None:
    variable = {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "K"}}}
    source = new_pod({}, {"env": [variable]})[0].spec.containers[0].env[0].value_from
    assert source is not None
    assert source.file_key_ref is not None
    assert source.file_key_ref.optional is False
