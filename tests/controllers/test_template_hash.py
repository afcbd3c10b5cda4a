"""Names of ReplicaSets are the ones upstream would give: hashes recorded from a real kube-controller-manager."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import PodTemplateSpec
from pybernetes.controllers.template_hash import fnv1a_32, printed, template_hash


def template(image: str, labels: dict[str, str], annotations: dict[str, str] | None = None) -> PodTemplateSpec:
    container = {
        "name": "c",
        "image": image,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always",
    }
    spec: dict[str, Any] = {
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 1,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    return from_builtins(
        {"metadata": {"labels": labels, "annotations": annotations or {}}, "spec": spec}, PodTemplateSpec
    )


@pytest.mark.parametrize(
    ("image", "labels", "annotations", "recorded"),
    [
        ("nginx", {"a": "b"}, None, "5bc7999bd5"),
        ("nginx:2", {"a": "b"}, None, "59f96c9c7c"),
        ("broken", {"a": "b"}, {"fake": "pend"}, "b48bb59bc"),
        ("nginx", {"a": "b", "n": "1"}, None, "5759ff546b"),
        ("nginx", {"a": "b", "n": "2"}, None, "6f79dfd487"),
    ],
)
def test_the_recorded_hashes(
    image: str, labels: dict[str, str], annotations: dict[str, str] | None, recorded: str
) -> None:
    assert template_hash(template(image, labels, annotations)) == recorded


def test_a_collision_gives_another_name() -> None:
    plain = template("nginx", {"a": "b"})
    assert len({template_hash(plain), template_hash(plain, 1), template_hash(plain, 2)}) == 3


def test_the_hash_function() -> None:
    assert fnv1a_32(b"") == 0x811C9DC5
    assert fnv1a_32(b"a") == 0xE40C292C


def test_values_are_printed_as_go_holds_them() -> None:
    assert printed("resource.Quantity", "100m") == (
        "{i:(resource.int64Amount){value:(int64)100 scale:(resource.Scale)-3} "
        "d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)100m Format:(resource.Format)DecimalSI}"
    )
    assert "value:(int64)67108864 scale:(resource.Scale)0" in printed("resource.Quantity", "64Mi")
    assert printed("intstr.IntOrString", "web") == "{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)web}"
    assert printed("map[string]string", {"b": "2", "a": "1"}) == "map[a:1 b:2]"
