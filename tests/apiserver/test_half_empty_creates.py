"""Creates of every built-in kind with next to nothing in the body, or the wrong things: never the server's fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from tests.apiserver.conftest import Caller

# What does not fit the schema is no request error to upstream, when it is applied.
_UNTYPED = b'"message":"failed to create typed patch object'
# Nor is a binding that names no node, when it is made.
_NO_TARGET = b'"message":"target.name: Required value"'
# A connection goes to a kubelet, which is another test's matter.
_CONNECTS = {"attach", "exec", "portforward", "proxy"}
_PARTS = ("webhooks", "rules", "subjects", "endpoints", "subsets", "validations", "ports", "conditions", "items")
_EMPTY_PARTS: dict[str, Any] = {
    part: [{}] for part in (*_PARTS, "containers", "versions", "mutations", "initContainers")
}
BODIES: dict[str, Any] = {
    "nothing": {},
    "null": None,
    "a list": [],
    "a text": "a",
    "a number": 1,
    "no name": {"metadata": {}},
    "only a name": {"metadata": {"name": "a"}},
    "only the beginning of a name": {"metadata": {"generateName": "a-"}},
    "no metadata": {"metadata": None, "spec": {}},
    "metadata of the wrong type": {"metadata": "x"},
    "metadata that is a list": {"metadata": []},
    "a name that is a number": {"metadata": {"name": 1}},
    "labels that are null": {"metadata": {"name": "b", "labels": None, "annotations": None, "ownerReferences": [{}]}},
    "no spec": {"metadata": {"name": "c"}, "spec": None, "status": None, "data": None},
    "an empty spec": {"metadata": {"name": "d"}, "spec": {}, "status": {}},
    "a spec that is a list": {"metadata": {"name": "e"}, "spec": []},
    "a spec that is a text": {"metadata": {"name": "f"}, "spec": "x"},
    "a template that is null": {"metadata": {"name": "g"}, "spec": {"template": None, "selector": None}},
    "an empty template": {"metadata": {"name": "h"}, "spec": {"template": {"spec": {}}, "selector": {}}},
    "empty parts": {"metadata": {"name": "i"}, "spec": _EMPTY_PARTS, "roleRef": {}, **_EMPTY_PARTS},
    "parts that are null": {
        "metadata": {"name": "j"},
        "spec": dict.fromkeys(_EMPTY_PARTS),
        **dict.fromkeys(_EMPTY_PARTS),
    },
    "lists of null": {
        "metadata": {"name": "k", "finalizers": [None]},
        "spec": dict.fromkeys(_EMPTY_PARTS, [None]),
        **dict.fromkeys(_EMPTY_PARTS, [None]),
    },
}


def targets(kind: Kind) -> Iterator[str]:
    """Where objects of a kind, and those of its sub-resources, are made."""
    path = f"{kind.path_prefix}{'/namespaces/default' if kind.namespaced else ''}/{kind.resource}"
    if "create" in kind.verbs:
        yield path
    for child in kind.subresources:
        if "create" in child.verbs and child.name not in _CONNECTS:
            yield f"{path}/a/{child.name}"


TARGETS = [target for kind in KINDS for target in targets(kind)]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_no_half_empty_body_is_the_servers_fault(call: Caller, body: Any) -> None:
    assert len(TARGETS) > len(KINDS) // 2
    wrong = {}
    for target in TARGETS:
        response = await call.send("POST", target, body)
        if response.status >= 500 and _NO_TARGET not in response.body:
            wrong[target] = (response.status, response.body[:200])
    assert wrong == {}


@pytest.mark.parametrize("body", [body for body in BODIES.values() if isinstance(body, dict)])
async def test_no_half_empty_body_is_the_servers_fault_when_it_is_applied(call: Caller, body: dict[str, Any]) -> None:
    wrong = {}
    for kind in KINDS:
        for target in targets(kind):
            head = {"apiVersion": kind.api_version, "kind": kind.name}
            query = "?fieldManager=someone&force=true"
            applied = "application/apply-patch+yaml"
            response = await call.send("PATCH", f"{target}/a{query}", {**head, **body}, content_type=applied)
            if response.status >= 500 and _UNTYPED not in response.body:
                wrong[target] = (response.status, response.body[:200])
    assert wrong == {}
