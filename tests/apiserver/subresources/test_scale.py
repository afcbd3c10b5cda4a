"""Scales: what a write of one says of itself, and things that have no count yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
WIDGETS = "/apis/x.example/v1/namespaces/default/widgets"
MERGE = "application/merge-patch+json"


@pytest.mark.parametrize(
    ("metadata", "code", "why"),
    [
        ({}, 400, "name must be provided"),
        ({"name": "x"}, 400, "does not match the name on the URL (d)"),
        ({"name": "d", "namespace": "x"}, 400, "does not match the namespace sent on the request"),
        ({"name": "d"}, 200, ""),
    ],
)
async def test_a_scale_names_what_it_scales(call: Caller, metadata: dict[str, str], code: int, why: str) -> None:
    labels = {"a": "b"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    assert (await call("POST", DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": spec}))[0] == 201
    given, answer = await call("PUT", f"{DEPLOYMENTS}/d/scale", {"metadata": metadata, "spec": {"replicas": 3}})
    assert given == code
    assert why in answer.get("message", "")


@pytest.fixture
async def uncounted(call: Caller) -> str:
    """The path of the scale of a custom resource that says nothing of replicas."""
    version: dict[str, Any] = {"name": "v1", "served": True, "storage": True}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version["subresources"] = {"scale": paths}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": "x.example", "scope": "Namespaced", "names": names, "versions": [version]}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert (await call("POST", definitions, {"metadata": {"name": "widgets.x.example"}, "spec": spec}))[0] == 201
    widget = {"apiVersion": "x.example/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert (await call("POST", WIDGETS, widget))[0] == 201
    return f"{WIDGETS}/w/scale"


async def test_a_count_that_is_not_there_can_be_given_and_not_read(call: Caller, uncounted: str) -> None:
    code, answer = await call("GET", uncounted)
    assert (code, "does not exist" in answer["message"]) == (500, True)
    code, answer = await call("PATCH", uncounted, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    assert (code, answer["message"]) == (400, 'the spec replicas field ".spec.replicas" cannot be empty')
    code, scale = await call("PATCH", uncounted, {"spec": {"replicas": 2}}, content_type=MERGE)
    assert (code, scale["spec"]) == (200, {"replicas": 2})
    assert (await call("GET", uncounted))[1]["spec"] == {"replicas": 2}
