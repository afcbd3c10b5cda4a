"""Objects inside of objects: their metadata is cleaned, checked, and filled from defaults like any other's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, DEFINITIONS, crontab, definition

INNER: dict[str, Any] = {
    "type": "object",
    "x-kubernetes-embedded-resource": True,
    "properties": {"data": {"type": "string"}},
}
FREE: dict[str, Any] = {
    "type": "object",
    "x-kubernetes-embedded-resource": True,
    "x-kubernetes-preserve-unknown-fields": True,
}
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"}


async def served_with(call: Caller, fields: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": fields}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    code, answer = await call("POST", DEFINITIONS, definition(version))
    assert code == 201, answer


def holder(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "a"}, **fields}


async def test_only_fields_of_metadata_stay(call: Caller) -> None:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    nested = {**FREE, "properties": {"inner": FREE}}
    await served_with(call, {"one": FREE, "plain": free, "outer": nested})
    given = {**POD, "metadata": {"name": "x", "unknown": "y"}}
    clean = {**POD, "metadata": {"name": "x"}}
    code, found = await call("POST", CRONTABS, holder(one=given, plain=given, outer={**given, "inner": given}))
    assert code == 201
    assert (found["one"], found["plain"], found["outer"]) == (clean, given, {**clean, "inner": clean})


async def test_metadata_of_the_wrong_types_cannot_be_read(call: Caller) -> None:
    await served_with(call, {"one": FREE})
    code, status = await call("POST", CRONTABS, holder(one={**POD, "metadata": {"name": "x", "namespace": 4}}))
    assert code == 400
    assert "one.metadata: Invalid value" in status["message"]


async def test_what_is_inside_is_checked_at_every_depth(call: Caller) -> None:
    await served_with(call, {"outer": {**FREE, "properties": {"inner": FREE}}})
    bad = {"apiVersion": "v1", "kind": "%", "metadata": {"name": ".."}}
    code, status = await call("POST", CRONTABS, holder(outer={**bad, "inner": bad}))
    assert code == 422
    assert [cause["field"] for cause in status["details"]["causes"]] == [
        "outer.kind",
        "outer.metadata.name",
        "outer.inner.kind",
        "outer.inner.metadata.name",
    ]


METADATA = {"name": "x", "unknown": "y"}
BY_FIELD = {
    "apiVersion": {"type": "string", "default": "v1"},
    "kind": {"type": "string", "default": "Pod"},
    "metadata": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "x"},
            "unknown": {"type": "string", "default": "y"},
        },
    },
}
AT_ONCE = {**BY_FIELD, "metadata": {"type": "object", "default": METADATA}}


@pytest.mark.parametrize("schema", [INNER, FREE], ids=["pruned", "preserved"])
@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({"one": {"properties": BY_FIELD}}, {"one": {"metadata": {}}}),
        ({"one": {"properties": AT_ONCE}}, {"one": {}}),
        ({"one": {"default": {**POD, "metadata": METADATA}}}, {}),
    ],
    ids=["by field", "metadata", "whole"],
)
async def test_defaults_inside_are_cleaned_too(
    call: Caller, schema: dict[str, Any], fields: dict[str, Any], given: dict[str, Any]
) -> None:
    await served_with(call, {name: {**schema, **more} for name, more in fields.items()})
    code, made = await call("POST", CRONTABS, holder(**given))
    _code, read = await call("GET", f"{CRONTABS}/a")
    assert code == 201
    assert made["one"] == read["one"] == {**POD, "metadata": {"name": "x"}}


async def test_embedded_objects_of_the_standing_definition_are_kept(served: Caller) -> None:
    code, found = await served("POST", CRONTABS, crontab("a", {"template": {**POD, "spec": {"any": 1}}}))
    assert (code, found["spec"]["template"]) == (201, {**POD, "spec": {"any": 1}})
