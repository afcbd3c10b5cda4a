"""Complaints about creates, compared with those of a real API server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from oracle_files import Step, decoded, kind_of_path, scenarios, steps

from pybernetes.api.status import FieldError
from pybernetes.apiserver.resources.strategies import strategy_of

UID = "00000000-0000-4000-8000-000000000000"
# Scenarios that are about other stages than validation.
ELSEWHERE = ("auth", "bad-bodies", "custom-resource", "eviction-429", "fieldvalidation", "crd", "misc.vap")
# Answers of other stages: allocators of addresses and ports, admission, compiled expressions, tolerant decoding.
NOT_YET: dict[str, frozenset[int]] = {
    "service": frozenset({17, 23, 37, 38}),
    "namespace": frozenset({8}),
    "misc.webhook": frozenset({3}),
    # A quantity with a space behind it; an empty map instead of none; labels that upstream fills in after validation.
    "pod-validation": frozenset({59}),
    "pv": frozenset({3}),
    "job": frozenset({20}),
}


def _creates() -> list[Step]:
    found = []
    for scenario in scenarios("errors"):
        if scenario.startswith(ELSEWHERE):
            continue
        for step in steps("errors", scenario):
            good = step.method == "POST" and step.status in (201, 422) and isinstance(step.body, dict)
            if good and step.number not in NOT_YET.get(scenario, ()):
                found.append(step)
    return found


def complaints(step: Step) -> list[tuple[str, str, str]]:
    """What our strategy says about the body of a create: (reason, field, message) of each complaint."""
    kind = kind_of_path(step.path)
    assert kind is not None
    obj = decoded(kind, step.body)
    parts = step.path.split("/namespaces/")
    if kind.namespaced:
        obj.metadata.namespace = parts[1].split("/")[0]
    else:
        obj.metadata.namespace = None
    obj.metadata.uid = UID
    obj.metadata.creation_timestamp = "<time>"
    if not obj.metadata.name and obj.metadata.generate_name:
        obj.metadata.name = obj.metadata.generate_name + "abcde"
    strategy = strategy_of(kind)
    strategy.default(obj)
    strategy.prepare_create(obj)
    return sorted(shown(error) for error in strategy.validate_create(obj))


def shown(error: FieldError) -> tuple[str, str, str]:
    return error.type, error.field, error.body


def expected(step: Step) -> list[tuple[str, str, str]]:
    causes: list[dict[str, Any]] = step.answer.get("details", {}).get("causes", []) if step.status == 422 else []
    return sorted((c["reason"], c["field"], re.sub("<uid:[0-9]+>", UID, c["message"])) for c in causes)


@pytest.mark.parametrize("step", _creates(), ids=lambda step: step.label)
def test_create_is_refused_in_upstreams_words(step: Step) -> None:
    assert complaints(step) == expected(step)
