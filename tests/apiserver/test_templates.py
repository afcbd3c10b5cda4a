"""Pods of one template, of which much is worked out only once: each must still get its own answer."""

from __future__ import annotations

import json
from typing import Any

from tests.apiserver.conftest import Caller

PODS = "/api/v1/namespaces/default/pods"


def pod(name: str, **container: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    spec = {"containers": [{"name": "c", "image": "nginx", **container}]}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


async def test_a_flawed_pod_after_good_ones_is_still_refused(call: Caller) -> None:
    for number in range(3):
        assert (await call("POST", PODS, pod(f"good-{number}")))[0] == 201
    bad = pod("bad", ports=[{"containerPort": 70_000}])
    for _ in range(2):
        code, answer = await call("POST", PODS, bad)
        assert (code, answer["details"]["causes"][0]["field"]) == (422, "spec.containers[0].ports[0].containerPort")


async def test_an_unknown_field_is_told_of_every_time(call: Caller) -> None:
    assert (await call("POST", PODS, pod("web")))[0] == 201
    for name in ("a", "b"):
        response = await call.send("POST", PODS, {**pod(name), "colour": "red"})
        assert response.headers["warning"] == ('299 - "unknown field \\"colour\\""',)


async def test_a_name_that_is_also_a_field_hides_no_unknown_field(call: Caller) -> None:
    text = json.dumps(pod("spec"))
    assert (await call("POST", PODS, text.encode()))[0] == 201
    foreign = text.replace('"spec"', '"specs"')
    response = await call.send("POST", PODS, foreign.encode())
    assert response.status == 422
    response = await call.send("POST", f"{PODS}?fieldValidation=Strict", foreign.encode())
    assert b'unknown field \\"specs\\"' in response.body


async def test_owned_fields_are_those_of_each_pod(call: Caller) -> None:
    def owned(created: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = created["metadata"]["managedFields"][0]["fieldsV1"]
        return fields

    first = (await call("POST", PODS, pod("one"), user_agent="kubectl/v1.36"))[1]
    second = (await call("POST", PODS, pod("two"), user_agent="kubectl/v1.36"))[1]
    assert owned(first) == owned(second)
    labelled = pod("three")
    labelled["metadata"]["labels"]["more"] = "x"
    third = (await call("POST", PODS, labelled, user_agent="kubectl/v1.36"))[1]
    assert "f:more" in owned(third)["f:metadata"]["f:labels"]
    assert "f:more" not in owned(second)["f:metadata"]["f:labels"]
    fourth = (await call("POST", PODS, pod("four"), user_agent="helm/4"))[1]
    assert fourth["metadata"]["managedFields"][0]["manager"] == "helm"
