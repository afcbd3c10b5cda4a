"""Warnings on creates, compared with those of a real API server."""

from __future__ import annotations

import pytest
from oracle_files import Step, decoded, kind_of_path, scenarios, steps

from pybernetes.apiserver.resources.strategies import strategy_of

# Said by other stages: served versions, decoding, schemas, custom resources.
ELSEWHERE = ("deprecated in v1.33+", "unknown field", "duplicate field", "Widget is deprecated")


def _creates() -> list[Step]:
    found = []
    for folder in ("defaults", "errors"):
        for scenario in scenarios(folder):
            for step in steps(folder, scenario):
                good = step.method == "POST" and step.status == 201 and kind_of_path(step.path) is not None
                if good and isinstance(step.body, dict) and "certificatesigning" not in scenario:
                    found.append(step)
    return [step for step in found if step.label != "pod-validation[59]" and "subresources" not in step.scenario]


def test_creates_are_warned_about_as_upstream_does() -> None:
    for step in _creates():
        kind = kind_of_path(step.path)
        assert kind is not None
        if not isinstance(step.body.get("metadata"), dict):
            continue
        obj = decoded(kind, step.body)
        strategy = strategy_of(kind)
        strategy.default(obj)
        expected = [text for text in step.warnings if not any(part in text for part in ELSEWHERE)]
        assert strategy.warnings(obj, None) == expected, step.label


@pytest.mark.parametrize("name", ["a", "a.b"])
def test_only_makers_of_pods_with_odd_names_are_warned(name: str) -> None:
    kind = kind_of_path("/apis/apps/v1/namespaces/x/deployments")
    assert kind is not None
    deployment = kind.type()
    deployment.metadata.name = name
    warnings = strategy_of(kind).warnings(deployment, None)
    assert bool(warnings) == ("." in name)
    assert strategy_of(kind).warnings(deployment, deployment) == []
