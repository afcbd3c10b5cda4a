"""What is said of flow schemas and priority levels."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status

from pybernetes.api.objects import to_builtins
from pybernetes.apiserver.bootstrap.flow_control import MANDATORY, flow_control

_RULE = {
    "subjects": [{"kind": "User", "user": {"name": "u"}}],
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}],
}


def _schema(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "spec": {"priorityLevelConfiguration": {"name": "x"}, "rules": [_RULE], **spec},
    }


def _level(limited: dict[str, Any] | None, kind: str = "Limited") -> dict[str, Any]:
    return {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "PriorityLevelConfiguration",
        "spec": {"type": kind, **({} if limited is None else {"limited": limited})},
    }


def _queue(**queuing: Any) -> dict[str, Any]:
    return _level({"limitResponse": {"type": "Queue", "queuing": queuing}})


_KEEPS_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
_WHERE = "spec.rules[0]"
_QUEUING = "spec.limited.limitResponse.queuing"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_schema(), []),
        (_schema(matchingPrecedence=1),
         ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"]),
        (_schema(priorityLevelConfiguration={"name": ""}, matchingPrecedence=10001),
         ["spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
          "spec.priorityLevelConfiguration.name: Required value: must reference a priority level"]),
        (_schema(rules=[{}]),
         [f"{_WHERE}.subjects: Required value: subjects must contain at least one value",
          f"{_WHERE}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"]),
        (_schema(rules=[{**_RULE, "subjects": [{"kind": "ServiceAccount", "user": {"name": "u"}}]}]),
         [f"{_WHERE}.subjects[0].serviceAccount: Required value: "
          "serviceAccount is required when subject kind is 'ServiceAccount'",
          f"{_WHERE}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'"]),
        (_schema(rules=[{"subjects": _RULE["subjects"], "nonResourceRules": [
            {"verbs": ["*", "get"], "nonResourceURLs": ["/a//b", "/a*"]}]}]),
         [f'{_WHERE}.nonResourceRules[0].verbs: Invalid value: ["*","get"]: '
          "if '*' is present, must not specify other verbs",
          f'{_WHERE}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a//b": must not contain double slash',
          f'{_WHERE}.nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*": '
          "wildcard can only do suffix matching"]),
        (_level({"limitResponse": {"type": "Reject"}, "lendablePercent": 101, "nominalConcurrencyShares": -1}),
         ["spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
          "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"]),
        (_level(None), ["spec.limited: Required value: must not be empty when type is Limited"]),
        (_level(None, "Exempt"),
         ['spec.type: Invalid value: "Exempt": type must be \'Exempt\' if and only if name is \'exempt\'']),
        (_queue(), []),
        (_queue(queues=4, handSize=5),
         [f"{_QUEUING}.handSize: Invalid value: 5: should not be greater than queues (4)"]),
        (_queue(queues=512, handSize=8),
         [f"{_QUEUING}.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 "
          "should not be greater than 60"]),
        (_queue(queues=64, handSize=10), []),
        (_queue(queues=10_000_000, handSize=9_999_999),
         [f"{_QUEUING}.handSize: Invalid value: 9999999: required entropy bits of deckSize 10000000 and "
          "handSize 9999999 should not be greater than 60"]),
        (merged(_level({"limitResponse": {"type": "Reject"}}), {"metadata": {"annotations": {_KEEPS_ZERO: ""}}}),
         [f"metadata.annotations: Forbidden: annotation '{_KEEPS_ZERO}' is forbidden"]),
    ],
)  # fmt: skip
def test_creates(document: dict[str, Any], said: list[str]) -> None:
    assert on_create(document) == said


def _mandatory() -> list[dict[str, Any]]:
    return [to_builtins(each) for each in flow_control() if each.metadata.name in MANDATORY]


@pytest.mark.parametrize(
    "document", _mandatory(), ids=lambda document: f"{document['kind']}-{document['metadata']['name']}"
)
def test_what_every_cluster_has_keeps_its_spec(document: dict[str, Any]) -> None:
    assert on_create(document) == []
    is_level, name = document["kind"] == "PriorityLevelConfiguration", document["metadata"]["name"]
    limited = {"limited": {"limitResponse": {"type": "Reject"}, "nominalConcurrencyShares": 6}}
    said = on_create(merged(document, {"spec": limited if is_level else {"rules": []}}))[-1]
    assert said.startswith("spec: Invalid value: {")
    free = " except the 'spec.exempt' field" if is_level and name == "exempt" else ""
    assert said.endswith(f": spec of '{name}'{free} must equal the fixed value")


def test_the_shares_of_the_exempt_level_can_be_changed() -> None:
    (document,) = [each for each in _mandatory() if each["spec"].get("type") == "Exempt"]
    assert on_create(merged(document, {"spec": {"exempt": {"nominalConcurrencyShares": 7}}})) == []


def test_conditions_have_types_of_their_own() -> None:
    assert on_status(_schema(), {}, {"conditions": [{"type": "a"}, {"type": "a"}, {}]}) == [
        'status.conditions[1].type: Duplicate value: "a"',
        "status.conditions[2].type: Required value: must not be empty",
    ]
