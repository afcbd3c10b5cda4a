"""Custom resources as a client sees them: written, read, selected, scaled, watched, refused."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, crontab

MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def causes(call: Caller, body: dict[str, Any]) -> list[tuple[str, str]]:
    code, status = await call("POST", CRONTABS, body)
    assert code == 422
    return [(cause["field"], cause["message"]) for cause in status["details"]["causes"]]


async def test_objects_get_defaults_and_lose_what_nobody_knows(served: Caller) -> None:
    sent = crontab("a", {"bogus": 1, "free": {"x": [1]}}, status={"phase": "Up"}, extra=1)
    response = await served.send("POST", CRONTABS, sent)
    assert response.status == 201
    assert response.headers["warning"] == (
        '299 - "unknown field \\"extra\\""',
        '299 - "unknown field \\"spec.bogus\\""',
    )
    _code, found = await served("GET", f"{CRONTABS}/a")
    assert found["spec"] == {"schedule": "* *", "replicas": 1, "free": {"x": [1]}}
    assert "status" not in found
    assert found["metadata"]["generation"] == 1


async def test_unknown_and_repeated_fields_are_refused_when_the_client_wants_it(served: Caller) -> None:
    path = f"{CRONTABS}?fieldValidation=Strict"
    _code, status = await served("POST", path, crontab("a", {"bogus": 1}))
    assert status["message"].endswith('strict decoding error: unknown field "spec.bogus"')
    body = msgspec.json.encode(crontab("a")).replace(b'"spec":{', b'"spec":{"replicas":1,"replicas":2,')
    code, status = await served("POST", path, body)
    assert code == 400
    assert status["message"].endswith('strict decoding error: duplicate field "spec.replicas"')


async def test_objects_that_break_their_schema_are_refused_in_upstreams_words(served: Caller) -> None:
    wrong = {"schedule": "never", "replicas": -1, "zone": "north", "ports": [{"port": []}]}
    assert sorted(await causes(served, crontab("a", wrong))) == [
        (".spec.replicas", "Invalid value: -1: should be a non-negative integer"),
        ("spec.ports[0].name", "Required value"),
        (
            "spec.ports[0].port",
            'Invalid value: "array": spec.ports[0].port in body must be of type integer,string: "array"',
        ),
        ("spec.replicas", "Invalid value: -1: spec.replicas in body should be greater than or equal to 0"),
        ("spec.schedule", "Invalid value: \"never\": spec.schedule in body should match '^[*0-9 /]+$'"),
        ("spec.zone", 'Unsupported value: "north": supported values: "east", "west"'),
    ]
    twice = {"ports": [{"name": "a"}, {"name": "a", "port": 1}]}
    assert await causes(served, crontab("a", twice)) == [("spec.ports[1]", 'Duplicate value: {"name":"a"}')]
    assert await causes(served, {**crontab("a"), "kind": "Pod"}) == [("kind", 'Invalid value: "Pod": must be CronTab')]


async def test_embedded_objects_say_what_they_are(served: Caller) -> None:
    assert await causes(served, crontab("a", {"template": {}})) == [
        ("spec.template.apiVersion", "Required value"),
        ("spec.template.kind", "Required value"),
    ]
    embedded = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "bogus": 1}, "other": 1}
    _code, found = await served("POST", CRONTABS, crontab("a", {"template": embedded}))
    assert found["spec"]["template"] == {**embedded, "metadata": {"name": "x"}}


async def test_patches_merge_but_not_strategically(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    path = f"{CRONTABS}/a"
    _code, found = await served("PATCH", path, {"spec": {"replicas": 3}}, content_type=MERGE)
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (3, 2)
    operations = [{"op": "remove", "path": "/spec/replicas"}]
    _code, found = await served("PATCH", path, operations, content_type="application/json-patch+json")
    assert found["spec"]["replicas"] == 1
    code, _status = await served("PATCH", path, {}, content_type="application/strategic-merge-patch+json")
    assert code == 415


async def test_the_status_is_written_apart_from_the_rest(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    change = {"spec": {"replicas": 9}, "status": {"phase": "Up"}}
    _code, found = await served("PATCH", f"{CRONTABS}/a/status", change, content_type=MERGE)
    assert (found["spec"]["replicas"], found["status"]) == (1, {"phase": "Up"})
    _code, found = await served("PATCH", f"{CRONTABS}/a", {"status": None}, content_type=MERGE)
    assert (found["status"], found["metadata"]["generation"]) == ({"phase": "Up"}, 1)
    code, status = await served("PATCH", f"{CRONTABS}/a/status", {"status": {"phase": 5}}, content_type=MERGE)
    assert code == 422
    told = 'Invalid value: "integer": phase in body must be of type string: "integer"'
    assert status["details"]["causes"][0] == {
        "field": "status.phase",
        "message": told,
        "reason": "FieldValueTypeInvalid",
    }


async def test_scale_reads_and_writes_the_paths_of_the_definition(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    _code, scale = await served("GET", f"{CRONTABS}/a/scale")
    assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {"replicas": 1}, {"replicas": 0})
    scale["spec"]["replicas"] = 4
    code, scale = await served("PUT", f"{CRONTABS}/a/scale", scale)
    assert (code, scale["spec"]) == (200, {"replicas": 4})
    _code, found = await served("GET", f"{CRONTABS}/a")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (4, 2)


async def test_tables_have_the_columns_of_the_definition(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    _code, table = await served("GET", CRONTABS, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Schedule", "Replicas"]
    assert table["rows"][0]["cells"] == ["a", "* *", 1]


async def test_lists_select_by_the_fields_of_the_definition(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a", {"zone": "east"}))
    await served("POST", CRONTABS, crontab("b", {"zone": "west"}))
    _code, found = await served("GET", f"{CRONTABS}?fieldSelector=spec.zone%3Dwest")
    assert (found["kind"], [item["metadata"]["name"] for item in found["items"]]) == ("CronTabList", ["b"])
    code, status = await served("GET", f"{CRONTABS}?fieldSelector=spec.schedule%3Dx")
    assert (code, status["message"]) == (400, "field label not supported: spec.schedule")


async def test_watches_bring_changes(served: Caller) -> None:
    _code, before = await served("GET", CRONTABS)
    revision = before["metadata"]["resourceVersion"]
    response = await served.send("GET", f"{CRONTABS}?watch=true&resourceVersion={revision}")
    await served("POST", CRONTABS, crontab("a"))
    assert response.stream is not None
    event = msgspec.json.decode(await anext(response.stream))
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "CronTab")
    await response.stream.aclose()  # type: ignore[attr-defined]


async def test_updates_need_a_revision_and_bodies_must_say_what_they_are(served: Caller) -> None:
    await served("POST", CRONTABS, crontab("a"))
    code, status = await served("PUT", f"{CRONTABS}/a", crontab("a"))
    assert (code, status["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")
    code, status = await served("POST", CRONTABS, {"kind": "CronTab", "metadata": {"name": "b"}})
    assert code == 400
    assert "Object 'apiVersion' is missing" in status["message"]
    code, status = await served("POST", CRONTABS, {**crontab("b"), "apiVersion": "stable.example.com/v2"})
    assert status["message"].startswith("the API version in the data (stable.example.com/v2) does not match")
