"""Objects written and read through several versions: whose defaults they get, whose schema and scale hold for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, DEFINITIONS, crontab, definition

NAME = f"{DEFINITIONS}/crontabs.stable.example.com"
MERGE = "application/merge-patch+json"
BETA = CRONTABS.replace("/v1/", "/v1beta1/")
OPEN: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def version(name: str, storage: bool, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}


def defaulted(**defaults: str) -> dict[str, Any]:
    fields = {name: {"type": "string"} for name in ("sent", "stored")}
    for name, value in defaults.items():
        fields[name]["default"] = value
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}


def beta(name: str, spec: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return crontab(name, spec, **rest) | {"apiVersion": "stable.example.com/v1beta1", "spec": spec}


def scaled(path: str) -> dict[str, Any]:
    return {"status": {}, "scale": {"specReplicasPath": path, "statusReplicasPath": ".status.replicas"}}


async def test_writes_get_the_defaults_of_the_version_they_speak_and_of_the_stored_one(call: Caller) -> None:
    await call(
        "POST",
        DEFINITIONS,
        definition(version("v1", True, defaulted(stored="v1")), version("v1beta1", False, defaulted(sent="v1beta1"))),
    )
    _code, found = await call("POST", BETA, beta("a", {}))
    assert found["spec"] == {"sent": "v1beta1", "stored": "v1"}


async def test_reads_get_the_defaults_of_the_stored_version_alone(call: Caller) -> None:
    versions = [version("v1", True, defaulted()), version("v1beta1", False, defaulted())]
    await call("POST", DEFINITIONS, definition(*versions))
    await call("POST", BETA, beta("a", {}))
    _code, crd = await call("GET", NAME)
    crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"] = defaulted(sent="late")
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = defaulted(stored="late")
    code, _crd = await call("PUT", NAME, crd)
    assert code == 200
    _code, found = await call("GET", f"{BETA}/a")
    assert found["spec"] == {"stored": "late"}


async def test_an_object_obeys_the_schema_of_the_version_that_the_client_speaks(call: Caller) -> None:
    only_beta = {"type": "string", "pattern": "^stable.example.com/v1beta1$"}
    schema = {"type": "object", "properties": {"apiVersion": only_beta, "spec": OPEN}}
    await call("POST", DEFINITIONS, definition(version("v1", True, schema), version("v1beta1", False, schema)))
    code, _found = await call("POST", BETA, beta("a", {"x": 1}))
    assert code == 201
    change = {"spec": {"x": 2}}
    assert (await call("PATCH", f"{BETA}/a", change, content_type=MERGE))[0] == 200
    code, status = await call("PATCH", f"{CRONTABS}/a", {"spec": {"x": 3}}, content_type=MERGE)
    assert (code, status["details"]["causes"][0]["field"]) == (422, "apiVersion")


async def test_scale_paths_are_those_of_the_version_and_read_literally(call: Caller) -> None:
    await call(
        "POST",
        DEFINITIONS,
        definition(
            version("v1", True, OPEN, subresources=scaled(".spec.counts[0]")),
            version("v1beta1", False, OPEN, subresources=scaled(".spec.replicas")),
        ),
    )
    await call("POST", BETA, beta("a", {"replicas": 2, "counts[0]": 3}))
    _code, scale = await call("GET", f"{CRONTABS}/a/scale")
    assert scale["spec"]["replicas"] == 3
    code, scale = await call("PATCH", f"{BETA}/a/scale", {"spec": {"replicas": 5}}, content_type=MERGE)
    assert (code, scale["spec"]["replicas"]) == (200, 5)
    _code, found = await call("GET", f"{CRONTABS}/a")
    assert found["spec"] == {"replicas": 5, "counts[0]": 3}


@pytest.mark.parametrize("path", ["a", "a/status", "a/scale"])
async def test_nothing_of_a_custom_resource_is_patched_strategically(served: Caller, path: str) -> None:
    await served("POST", CRONTABS, crontab("a"))
    kind = "application/strategic-merge-patch+json"
    code, status = await served("PATCH", f"{CRONTABS}/{path}", {}, content_type=kind)
    assert (code, status["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("verb", "path", "code"),
    [
        ("DELETE", f"{CRONTABS}/a/status", 405),
        ("POST", f"{CRONTABS}/a/scale", 405),
        ("GET", f"{CRONTABS}/a/nothing", 404),
        ("POST", "/apis/stable.example.com/v1/crontabs", 404),
        ("DELETE", "/apis/stable.example.com/v1/crontabs", 404),
        ("GET", "/apis/stable.example.com/v1/crontabs", 200),
    ],
)
async def test_what_a_custom_resource_cannot_do(served: Caller, verb: str, path: str, code: int) -> None:
    assert (await served("POST", CRONTABS, crontab("a")))[0] == 201
    assert (await served.send(verb, path, {} if verb == "POST" else None)).status == code


async def test_the_version_that_is_stored_no_more_can_be_dropped(call: Caller) -> None:
    await call("POST", DEFINITIONS, definition(version("v1", False, OPEN), version("v1beta1", True, OPEN)))
    _code, crd = await call("GET", NAME)
    crd["spec"]["versions"][0]["storage"], crd["spec"]["versions"][1]["storage"] = True, False
    _code, crd = await call("PUT", NAME, crd)
    assert crd["status"]["storedVersions"] == ["v1beta1", "v1"]
    only = {**crd, "spec": {**crd["spec"], "versions": crd["spec"]["versions"][:1]}}
    code, status = await call("PUT", NAME, only)
    assert (code, status["details"]["causes"][0]["field"]) == (422, "status.storedVersions[0]")
    crd["status"]["storedVersions"] = ["v1"]
    code, crd = await call("PUT", f"{NAME}/status", crd)
    assert (code, crd["status"]["storedVersions"]) == (200, ["v1"])
    only["metadata"] = crd["metadata"]
    assert (await call("PUT", NAME, only))[0] == 200


async def test_selectable_fields_are_told_in_openapi(served: Caller) -> None:
    expected = [{"fieldPath": "spec.zone"}]
    _code, index = await served("GET", "/openapi/v3")
    _code, document = await served("GET", index["paths"]["apis/stable.example.com/v1"]["serverRelativeURL"])
    whole = document["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert whole["x-kubernetes-selectable-fields"] == expected
    _code, old = await served("GET", "/openapi/v2")
    assert old["definitions"]["com.example.stable.v1.CronTab"]["x-kubernetes-selectable-fields"] == expected
