"""The rules for annotations of pods that mean something, and for the fields that took their place."""

from __future__ import annotations

import pytest
from causes import on_create, on_update
from pod_documents import pod

ANNOTATIONS: list[tuple[dict[str, str], list[str]]] = [
    (
        {"controller.kubernetes.io/pod-deletion-cost": "+1"},
        [
            'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": '
            "must be a 32bit integer"
        ],
    ),
    ({"controller.kubernetes.io/pod-deletion-cost": "-5"}, []),
    (
        {"container.apparmor.security.beta.kubernetes.io/d": "bogus"},
        [
            'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": '
            "container not found",
            'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "bogus": '
            'invalid AppArmor profile name: "bogus"',
        ],
    ),
    (
        {"seccomp.security.alpha.kubernetes.io/pod": "bogus"},
        [
            'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "bogus": '
            "must be a valid seccomp profile"
        ],
    ),
]


@pytest.mark.parametrize(("annotations", "expected"), ANNOTATIONS)
def test_annotations(annotations: dict[str, str], expected: list[str]) -> None:
    assert on_create(pod({}, annotations=annotations)) == expected


PROFILE = "container.apparmor.security.beta.kubernetes.io/c"


def test_annotation_and_field_say_the_same() -> None:
    context = {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}
    annotations = {PROFILE: "runtime/default"}
    assert on_create(pod({}, context, annotations=annotations)) == [
        "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: "
        "apparmor type in annotation and field must match"
    ]
    # What is said of the whole pod is not said of a container that has an annotation of its own.
    assert on_create(pod(context, annotations=annotations)) == []


def test_annotations_that_say_what_runs_stay() -> None:
    context = {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}
    old = pod({}, context, annotations={PROFILE: "unconfined"})
    new = pod({}, context, annotations={"kubernetes.io/config.mirror": "x"})
    assert on_update(old, new) == [
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": '
        "must set spec.nodeName if mirror pod annotation is set",
        f"metadata.annotations[{PROFILE}]: Forbidden: may not remove or update AppArmor annotations",
        "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation",
    ]


def test_a_template_may_say_one_thing_and_another_of_app_armor_but_not_of_seccomp() -> None:
    context = {"appArmorProfile": {"type": "Unconfined"}, "seccompProfile": {"type": "Unconfined"}}
    seccomp = "container.seccomp.security.alpha.kubernetes.io/c"
    made = pod({}, {"securityContext": context}, annotations={PROFILE: "runtime/default", seccomp: "runtime/default"})
    template = {"metadata": made["metadata"], "spec": made["spec"]}
    assert on_create({"apiVersion": "v1", "kind": "PodTemplate", "template": template}) == [
        "template.spec.containers[0].securityContext.seccompProfile.type: Forbidden: "
        "seccomp type in annotation and field must match"
    ]
