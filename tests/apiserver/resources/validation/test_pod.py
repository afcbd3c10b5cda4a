"""What an update may change of a pod."""

from __future__ import annotations

from typing import Any

import pytest
from causes import merged, on_update
from pod_documents import pod

GATED = {
    "schedulingGates": [{"name": "g"}],
    "nodeSelector": {"a": "b"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "Exists"}]}]
            }
        }
    },
}
TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"


def _terms(*keys: str) -> dict[str, Any]:
    expressions = [{"key": key, "operator": "Exists"} for key in keys]
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


STEERING: list[tuple[dict[str, Any], list[str]]] = [
    ({"schedulingGates": []}, []),
    ({"nodeSelector": {"c": "d"}}, []),
    (_terms("k", "l"), []),
    (
        {"nodeSelector": {"a": "x"}},
        [
            'spec.nodeSelector: Invalid value: {"a":"x"}: '
            "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        ],
    ),
    (
        _terms("l"),
        [
            f'{TERMS}[0]: Invalid value: {{"MatchExpressions":[{{"Key":"l","Operator":"Exists","Values":null}}],'
            '"MatchFields":null}: only additions are allowed (no mutations or deletions)'
        ],
    ),
    (
        {"schedulingGates": [{"name": "g"}, {"name": "h"}]},
        ["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"],
    ),
]


@pytest.mark.parametrize(("change", "expected"), STEERING)
def test_a_gated_pod_is_only_steered_closer(change: dict[str, Any], expected: list[str]) -> None:
    assert on_update(pod(GATED), merged(pod(GATED), {"spec": change})) == expected


def test_a_negative_grace_is_one_second_whoever_says_it() -> None:
    negative = pod({"terminationGracePeriodSeconds": -5})
    assert on_update(negative, negative) == on_update(negative, pod({"terminationGracePeriodSeconds": 1})) == []
