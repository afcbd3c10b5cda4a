"""Definitions as their author sees them: accepted or refused, established, changed, deleted with all their objects."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pybernetes.apiserver.apiserver import ApiServer
from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, DEFINITIONS, SCHEMA, crontab, definition
from tests.oracle.recording import Bindings, replay, scenarios, steps

NAME = f"{DEFINITIONS}/crontabs.stable.example.com"
MERGE = "application/merge-patch+json"
OPEN: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def version(name: str, storage: bool, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}


def conditions(answer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in answer["status"]["conditions"]}


async def test_a_definition_is_established_when_its_author_has_the_answer(served: Caller) -> None:
    _code, found = await served("GET", NAME)
    assert conditions(found) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert found["status"]["acceptedNames"]["singular"] == "crontab"
    assert found["status"]["storedVersions"] == ["v1"]


async def test_discovery_and_openapi_have_it_at_once(served: Caller) -> None:
    _code, listed = await served("GET", "/apis/stable.example.com/v1")
    assert [item["name"] for item in listed["resources"]] == ["crontabs", "crontabs/scale", "crontabs/status"]
    assert listed["resources"][0]["shortNames"] == ["ct"]
    _code, index = await served("GET", "/openapi/v3")
    _code, document = await served("GET", index["paths"]["apis/stable.example.com/v1"]["serverRelativeURL"])
    schema = document["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert schema["properties"]["spec"]["properties"]["replicas"]["default"] == 1
    patch = document["paths"][f"{CRONTABS.replace('default', '{namespace}')}/{{name}}"]["patch"]
    assert "fieldValidation" in [item["name"] for item in patch["parameters"]]
    _code, old = await served("GET", "/openapi/v2")
    reduced = old["definitions"]["com.example.stable.v1.CronTab"]["properties"]["spec"]["properties"]["replicas"]
    assert "default" not in reduced
    protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert (await served.send("GET", "/openapi/v2", accept=protobuf)).status == 200


async def test_the_old_openapi_names_no_fields_where_there_may_be_any(call: Caller) -> None:
    held = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {"type": "string"}}}
    inner = {"held": held, "maybe": {"type": "string", "nullable": True}}
    spec = {"type": "object", "required": ["held", "maybe"], "properties": inner}
    closed = {"type": "object", "properties": {"spec": spec}}
    await call("POST", DEFINITIONS, definition(version("v1", True, closed), version("v1beta1", False, OPEN)))
    _code, document = await call("GET", "/openapi/v2")
    anything = document["definitions"]["com.example.stable.v1beta1.CronTab"]
    assert {**anything, "x-kubernetes-group-version-kind": []} == {
        "type": "object",
        "x-kubernetes-group-version-kind": [],
    }
    found = document["definitions"]["com.example.stable.v1.CronTab"]["properties"]["spec"]
    reduced = {"held": {"x-kubernetes-preserve-unknown-fields": True}, "maybe": {}}
    assert found == {"type": "object", "required": ["held"], "properties": reduced}


async def test_names_that_another_definition_has_are_not_accepted(served: Caller) -> None:
    other = definition(version("v1", True, OPEN), plural="others", singular="crontab", kind="Other")
    other["metadata"]["name"] = "others.stable.example.com"
    await served("POST", DEFINITIONS, other)
    _code, found = await served("GET", f"{DEFINITIONS}/others.stable.example.com")
    assert conditions(found)["NamesAccepted"] == ("False", "ShortNamesConflict")
    assert conditions(found)["Established"] == ("False", "NotAccepted")
    assert (await served.send("GET", "/apis/stable.example.com/v1/others")).status == 404
    await served("DELETE", NAME)
    _code, found = await served("GET", f"{DEFINITIONS}/others.stable.example.com")
    assert conditions(found)["Established"][0] == "True"


async def test_versions_share_their_objects(call: Caller) -> None:
    warned = {"deprecated": True, "deprecationWarning": "use v1"}
    await call("POST", DEFINITIONS, definition(version("v1", True, SCHEMA), version("v1beta1", False, OPEN, **warned)))
    beta = CRONTABS.replace("/v1/", "/v1beta1/")
    sent = {**crontab("a", {"unknown": 1}), "apiVersion": "stable.example.com/v1beta1"}
    response = await call.send("POST", beta, sent)
    assert (response.status, response.headers["warning"]) == (201, ('299 - "use v1"',))
    _code, found = await call("GET", f"{CRONTABS}/a")
    assert (found["apiVersion"], found["spec"]) == ("stable.example.com/v1", {"schedule": "* *", "replicas": 1})
    _code, found = await call("GET", f"{beta}/a")
    assert found["apiVersion"] == "stable.example.com/v1beta1"


async def test_a_changed_definition_holds_for_what_is_stored(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a", {"free": {"x": 1}}))
    _code, crd = await served("GET", NAME)
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    spec["suspended"] = {"type": "boolean", "default": False}
    del spec["free"]
    crd["spec"]["versions"][0]["storage"] = False
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2", "storage": True})
    code, crd = await served("PUT", NAME, crd)
    assert (code, crd["status"]["storedVersions"]) == (200, ["v1", "v2"])
    _code, found = await served("GET", f"{CRONTABS.replace('/v1/', '/v2/')}/a")
    assert found["apiVersion"] == "stable.example.com/v2"
    assert found["spec"] == {"schedule": "* *", "replicas": 1, "suspended": False}
    _code, listed = await served("GET", CRONTABS)
    assert listed["items"][0]["apiVersion"] == "stable.example.com/v1"


async def test_what_a_stricter_schema_would_refuse_may_stay_as_it_is(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a", {"replicas": 50}))
    _code, crd = await served("GET", NAME)
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    spec["replicas"]["maximum"] = 10
    await served("PUT", NAME, crd)
    change: dict[str, Any] = {"spec": {"schedule": "1 *"}}
    code, _answer = await served("PATCH", f"{CRONTABS}/a", change, content_type=MERGE)
    assert code == 200
    code, _answer = await served("PATCH", f"{CRONTABS}/a", {"spec": {"replicas": 60}}, content_type=MERGE)
    assert code == 422


async def test_deleting_a_definition_deletes_its_objects(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    code, answer = await served("DELETE", NAME)
    assert (code, conditions(answer)["Terminating"]) == (200, ("True", "InstanceDeletionPending"))
    code, _answer = await served("GET", NAME)
    assert code == 404
    response = await served.send("GET", CRONTABS)
    assert (response.status, response.body) == (404, b"404 page not found\n")
    await served("POST", DEFINITIONS, definition())
    _code, listed = await served("GET", CRONTABS)
    assert listed["items"] == []


async def test_a_definition_waits_for_the_finalizers_of_its_objects(served: Caller, api: ApiServer) -> None:
    held = crontab("a")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await served("POST", CRONTABS, held)
    watch = await served.send(
        "GET", f"{DEFINITIONS}?watch=true&fieldSelector=metadata.name%3Dcrontabs.stable.example.com"
    )
    await served("DELETE", NAME)
    _code, found = await served("GET", NAME)
    assert conditions(found)["Terminating"] == ("True", "InstanceDeletionInProgress")
    code, status = await served("POST", CRONTABS, crontab("b"))
    assert (code, status["message"]) == (405, "create not allowed while custom resource definition is terminating")
    running = asyncio.create_task(api.run())
    code, _answer = await served("PATCH", f"{CRONTABS}/a", {"metadata": {"finalizers": []}}, content_type=MERGE)
    assert code == 200
    assert watch.stream is not None
    async for chunk in watch.stream:
        if b'"DELETED"' in chunk:
            break
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await served("GET", NAME))[0] == 404


async def test_a_definition_in_the_place_of_a_built_in_resource_gets_none_of_its_objects(call: Caller) -> None:
    name, path = "ingressclasses.networking.k8s.io", "/apis/networking.k8s.io/v1/ingressclasses"
    ours = {"metadata": {"name": "nginx"}, "spec": {"controller": "example.com/nginx"}}
    await call("POST", path, ours)
    taken = definition(version("v1", True, OPEN), plural="ingressclasses", kind="IngressClass")
    unapproved = {"api-approved.kubernetes.io": "unapproved, of course"}
    taken["metadata"] = {"name": name, "annotations": unapproved, "finalizers": ["example.com/hold"]}
    taken["spec"] |= {"group": "networking.k8s.io", "scope": "Cluster"}
    assert (await call("POST", DEFINITIONS, taken))[0] == 201
    await call("DELETE", f"{DEFINITIONS}/{name}")
    _code, found = await call("GET", f"{DEFINITIONS}/{name}")
    assert conditions(found)["Terminating"] == ("False", "OverlappingBuiltInResource")
    assert found["metadata"]["finalizers"] == ["example.com/hold"]
    assert (await call("GET", f"{path}/nginx"))[0] == 200


async def test_a_definition_that_was_never_established_just_goes(served: Caller) -> None:
    other = definition(version("v1", True, OPEN), plural="others", kind="CronTab")
    other["metadata"] = {"name": "others.stable.example.com", "finalizers": ["example.com/hold"]}
    await served("POST", CRONTABS, crontab("a"))
    await served("POST", DEFINITIONS, other)
    await served("DELETE", f"{DEFINITIONS}/others.stable.example.com")
    _code, found = await served("GET", f"{DEFINITIONS}/others.stable.example.com")
    assert conditions(found)["Terminating"] == ("False", "NeverEstablished")
    assert (await served("GET", f"{CRONTABS}/a"))[0] == 200


async def test_watches_of_objects_end_with_their_kind(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    watch = await served.send("GET", f"{CRONTABS}?watch=true")
    await served("DELETE", NAME)
    assert watch.stream is not None
    seen = b"".join([chunk async for chunk in watch.stream])
    assert b'"ADDED"' in seen
    assert b'"DELETED"' in seen


@pytest.mark.parametrize(
    "path", [path for path in scenarios("errors") if path.stem == "crd"], ids=lambda path: path.stem
)
async def test_definitions_are_refused_as_upstream_refuses_them(path: Any, api: ApiServer) -> None:
    bindings = Bindings()
    different = {step.number for step in steps(path) if await replay(api, step, bindings)}
    assert different == set()
