"""The rules for Events of both groups."""

from __future__ import annotations

from typing import Any

import pytest
from causes import merged, on_create, on_update

CORE: dict[str, Any] = {"apiVersion": "v1", "kind": "Event", "involvedObject": {"kind": "Pod", "namespace": "ns"}}
EVENT: dict[str, Any] = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "regarding": {"kind": "Pod", "namespace": "ns"},
    "eventTime": "2020-01-01T00:00:00.000000Z",
    "reportingController": "example.com/c",
    "reportingInstance": "c-1",
    "action": "Do",
    "reason": "Done",
    "type": "Normal",
}

CREATES: list[tuple[dict[str, Any], list[str]]] = [
    (CORE, []),
    (merged(CORE, {"eventTime": "2020-01-01T00:00:00.000000Z", "reportingComponent": "c", "reason": "r" * 129,
                   "message": "m" * 1025, "reportingInstance": "i", "action": "a"}),
     ['reason: Invalid value: "": can have at most 128 characters',
      'message: Invalid value: "": can have at most 1024 characters']),
    (EVENT, []),
    (merged(EVENT, {"eventTime": None, "type": "X"}),
     ["eventTime: Required value", 'type: Invalid value: "": has invalid value: X']),
    (merged(EVENT, {"series": {"count": 1}, "deprecatedCount": 2, "deprecatedSource": {"component": "c"}}),
     ['series.count: Invalid value: "": should be at least 2',
      "series.lastObservedTime: Required value",
      'count: Invalid value: "": needs to be unset',
      'source: Invalid value: "": needs to be unset']),
    (merged(EVENT, {"regarding": {"namespace": None}}),
     ['involvedObject.namespace: Invalid value: "": does not match event.namespace']),
]  # fmt: skip


@pytest.mark.parametrize(("event", "expected"), CREATES)
def test_create(event: dict[str, Any], expected: list[str]) -> None:
    assert on_create(event) == expected


def test_what_an_event_tells_stays() -> None:
    assert on_update(EVENT, merged(EVENT, {"reason": "Other", "action": "Undo"})) == [
        'reason: Invalid value: "Other": field is immutable',
        'action: Invalid value: "Undo": field is immutable',
    ]
    again = {"series": {"count": 2, "lastObservedTime": "2020-01-01T00:00:01.000000Z"}}
    assert on_update(EVENT, merged(EVENT, again)) == []
    assert on_update(CORE, merged(CORE, {"reason": "Other"})) == []
