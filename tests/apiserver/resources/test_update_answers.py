"""Complaints about updates, compared with those of a real API server: its answers are replayed as stored objects."""

from __future__ import annotations

import re
from typing import Any

import pytest
from oracle_files import Step, decoded, kind_of_path, scenarios, steps

from pybernetes.api.kind import Kind
from pybernetes.apiserver.resources.strategies import strategy_of

UID = "00000000-0000-4000-8000-000000000000"
PREFIXES = ("configmap-secret", "deployment", "job", "namespace", "node", "pod-update", "pv", "service", "replicaset")
PREFIXES += ("misc.priorityclass", "misc.storageclass")
SCENARIOS = tuple(name for name in scenarios("errors") if name.startswith(PREFIXES))
# The messages show Go's internal form or a diff of it, or the allocators and other stages speak first.
NOT_YET = {"service": frozenset({54, 57})}


def _merged(document: Any, patch: Any) -> Any:
    """RFC 7396, which suffices for the recorded patches (their lists are replaced as a whole or not at all)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _renamed(value: Any) -> Any:
    """Placeholders become what they stand for: one uid, addresses and ports by number."""
    if isinstance(value, dict):
        return {key: _renamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, str):
        return value
    if port := re.fullmatch("<nodePort:([0-9]+)>", value):
        return 30000 + int(port[1])
    value = re.sub("<clusterIP:([0-9]+)>", r"10.96.9.\1", re.sub("<uid:[0-9]+>", UID, value))
    return re.sub("<suffix(:[0-9]+)?>", "abcde", value)


def _updates() -> list[tuple[Step, dict[str, Any]]]:
    """(step, the object as stored before it) for every recorded update that validation decides."""
    found = []
    for scenario in SCENARIOS:
        stored: dict[str, dict[str, Any]] = {}
        for step in steps("errors", scenario):
            name = step.path.removesuffix("/status")
            decided = step.method in ("PATCH", "PUT") and name in stored and step.status in (200, 422)
            if decided and step.number not in NOT_YET.get(scenario, ()):
                found.append((step, stored[name]))
            if step.status in (200, 201) and not step.dry_run:
                created = f"{step.path}/{step.answer['metadata']['name']}" if step.method == "POST" else name
                stored[created] = _renamed(step.answer)
    return found


def _new(step: Step, stored: dict[str, Any]) -> dict[str, Any]:
    if step.method == "PUT":
        return {**stored, **_renamed(step.body)}
    return dict(_merged(stored, step.body))


def _undecorated(obj: Any) -> Any:
    obj.metadata.managed_fields = []
    return obj


def complaints(kind: Kind, step: Step, stored: dict[str, Any]) -> set[tuple[str, str, str]]:
    strategy = strategy_of(kind)
    old = _undecorated(decoded(kind, stored))
    new = _undecorated(decoded(kind, _new(step, stored)))
    strategy.default(new)
    new.metadata.creation_timestamp = old.metadata.creation_timestamp
    if step.path.endswith("/status"):
        strategy.prepare_status(new, old)
        errors = strategy.validate_status(new, old)
    else:
        strategy.prepare_update(new, old)
        errors = strategy.validate_update(new, old)
    return {(error.type, error.field, error.body.partition("\n")[0]) for error in errors}


@pytest.mark.parametrize(("step", "stored"), _updates(), ids=lambda value: getattr(value, "label", ""))
def test_update_is_refused_in_upstreams_words(step: Step, stored: dict[str, Any]) -> None:
    kind = kind_of_path(step.path)
    assert kind is not None
    causes = step.answer["details"]["causes"] if step.status == 422 else []
    expected = {(cause["reason"], cause["field"], _renamed(cause["message"]).partition("\n")[0]) for cause in causes}
    assert complaints(kind, step, stored) == expected
