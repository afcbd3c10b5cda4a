"""What is said of Jobs, of their policies, and of their status."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status, on_update

_LABELS = {
    "controller-uid": "u",
    "batch.kubernetes.io/controller-uid": "u",
    "job-name": "x",
    "batch.kubernetes.io/job-name": "x",
}
_POD = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}


def _job(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
            "template": {"metadata": {"labels": _LABELS}, "spec": _POD},
            **spec,
        },
    }


def _indexed(**spec: Any) -> dict[str, Any]:
    return _job(completionMode="Indexed", **{"completions": 3, **spec})


def _failure(*rules: dict[str, Any]) -> dict[str, Any]:
    return _job(podFailurePolicy={"rules": list(rules)})


_RULE = "spec.podFailurePolicy.rules[0]"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_job(), []),
        (_job(managedBy="me"),
         ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")']),
        (_job(managedBy=f"acme.io/{'x' * 60}"), ["spec.managedBy: Too long: may not be more than 63 bytes"]),
        (_indexed(completions=None, parallelism=2),
         ["spec.completions: Required value: when completion mode is Indexed"]),
        (_indexed(completions=100_001, backoffLimitPerIndex=1, parallelism=10_001),
         ["spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
          "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above "
          "100000 and used with backoff limit per index"]),
        (_failure({"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [2, 1, 1]}}),
         [f'{_RULE}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
          f"{_RULE}.onExitCodes.values[2]: Duplicate value: 1",
          f"{_RULE}.onExitCodes.values: Invalid value: [2,1,1]: must be ordered"]),
        (_failure({"action": "Ignore", "onExitCodes": {"values": [1], "containerName": "d"}}),
         [f'{_RULE}.onExitCodes.operator: Required value: valid values: ["In" "NotIn"]',
          f'{_RULE}.onExitCodes.containerName: Invalid value: "d": '
          "must be one of the container or initContainer names in the pod template"]),
        (_failure({"action": "Ignore", "onPodConditions": [{"type": "Ready", "status": "Yes"}]}),
         [f'{_RULE}.onPodConditions[0].status: Unsupported value: "Yes": '
          'supported values: "False", "True", "Unknown"']),
        (_indexed(successPolicy={"rules": [{"succeededIndexes": "0,2-1"}]}),
         ['spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2-1": '
          "error parsing succeededIndexes: non-increasing order, previous: 2, current: 1"]),
        (_indexed(successPolicy={"rules": [{"succeededIndexes": "0-1", "succeededCount": 3}]}),
         ["spec.successPolicy.rules[0].succeededCount: Invalid value: 3: "
          "must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)"]),
    ],
)  # fmt: skip
def test_jobs(document: dict[str, Any], said: list[str]) -> None:
    assert on_create(document) == said


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ({"matchLabels": {"job-name": "x", "controller-uid": "u"}}, []),
        ({"matchExpressions": [{"key": "job-name", "operator": "In", "values": ["x"]}]}, []),
        ({"matchLabels": {"job-name": "y"}},
         ['spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u","job-name":"y"}}: '
          "`selector` not auto-generated",
          'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u",'
          '"batch.kubernetes.io/job-name":"x","controller-uid":"u","job-name":"x"}: '
          "`selector` does not match template `labels`"]),
    ],
)  # fmt: skip
def test_a_selector_may_say_more_than_what_is_generated(selector: dict[str, Any], said: list[str]) -> None:
    assert on_create(_job(selector=selector)) == said


def test_the_name_of_an_indexed_job_leaves_room_for_the_index() -> None:
    name = "x" * 62
    template = {"metadata": {"labels": {"job-name": name, "batch.kubernetes.io/job-name": name}}}
    document = merged(_indexed(), {"metadata": {"name": name}, "spec": {"template": template}})
    assert on_create(document) == [
        f'metadata.name: Invalid value: "{name}": will not able to create pod with invalid DNS label: {name}-2'
    ]


def test_an_indexed_job_grows_with_its_parallelism() -> None:
    assert on_update(_indexed(parallelism=3), _indexed(completions=4, parallelism=4)) == []
    assert on_update(_indexed(parallelism=3), _indexed(completions=4, parallelism=3)) == [
        "spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism"
    ]


_START, _END = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def _true(*kinds: str) -> list[dict[str, Any]]:
    return [{"type": kind, "status": "True"} for kind in kinds]


_COMPLETE = {"startTime": _START, "completionTime": _END, "conditions": _true("SuccessCriteriaMet", "Complete")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"startTime": _START}, _COMPLETE, []),
        ({"startTime": _START}, {"startTime": _START, "conditions": _true("FailureTarget", "Failed")}, []),
        ({}, {"conditions": _true("Complete")},
         ["status.completionTime: Required value: completionTime is required for Complete jobs",
          "status.conditions: Invalid value: cannot set Complete=True condition without the "
          "SuccessCriteriaMet=true condition",
          "status.startTime: Required value: startTime is required for finished job"]),
        ({}, {"startTime": _START, "conditions": _true("Failed")},
         ["status.conditions: Invalid value: cannot set Failed=True condition without the "
          "FailureTarget=true condition"]),
        (_COMPLETE, merged(_COMPLETE, {"active": 1, "conditions": _true("SuccessCriteriaMet")}),
         ['status.completionTime: Invalid value: "2026-01-01T00:01:00Z": '
          "cannot set completionTime when there is no Complete=True condition",
          "status.conditions: Invalid value: cannot disable the terminal Complete=True condition"]),
        ({"startTime": _START, "failed": 2}, {"startTime": _END, "failed": 1, "ready": 1},
         ["status.ready: Invalid value: 1: cannot set more ready pods than active",
          "status.failed: Invalid value: 1: cannot decrease the failed counter",
          "status.startTime: Required value: startTime cannot be removed for unsuspended job"]),
        ({}, {"completedIndexes": "0"},
         ['status.completedIndexes: Invalid value: "0": '
          "cannot set non-empty completedIndexes when non-indexed completion mode"]),
        ({}, {"uncountedTerminatedPods": {"succeeded": ["a"], "failed": ["a", ""]}},
         ['status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
          'status.uncountedTerminatedPods.failed[1]: Invalid value: "": must not be empty']),
    ],
)  # fmt: skip
def test_the_status_of_a_job(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert on_status(_job(), old, new) == said


def test_a_job_that_shrinks_may_have_fewer_successes() -> None:
    elastic, fixed = _indexed(parallelism=3), _indexed(parallelism=2)
    assert on_status(elastic, {"succeeded": 3}, {"succeeded": 2}) == []
    assert on_status(fixed, {"succeeded": 3}, {"succeeded": 2}) == [
        "status.succeeded: Invalid value: 2: cannot decrease the succeeded counter"
    ]


def test_numbers_without_end_are_no_indexes() -> None:
    (said,) = on_status(_indexed(), {}, {"completedIndexes": "9" * 5000})
    assert "error parsing completedIndexes: cannot convert string to integer for index: " in said


def test_indexes_fail_or_complete() -> None:
    document = _indexed(backoffLimitPerIndex=1)
    assert on_status(document, {}, {"completedIndexes": "0-1", "failedIndexes": "1,2"}) == [
        'status.failedIndexes: Invalid value: "1,2": failedIndexes and completedIndexes overlap at index: 1'
    ]


def test_the_template_of_a_cron_job_has_no_selector() -> None:
    document = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"selector": {}, "template": {"spec": _POD}}}},
    }
    assert on_create(document) == [
        "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated"
    ]


def _cron(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": _POD}}}, **spec},
    }


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Zurich", []),
        ("Europe/Atlantis", ['spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis']),
        ("../etc/passwd", ['spec.timeZone: Invalid value: "../etc/passwd": unknown time zone ../etc/passwd']),
        ("", ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']),
    ],
)
def test_zones_of_schedules(zone: str, said: list[str]) -> None:
    assert on_create(_cron(timeZone=zone)) == said


def test_an_old_schedule_may_go_on_naming_its_zone() -> None:
    old, new = "TZ=UTC 0 0 * * *", "TZ=UTC 1 0 * * *"
    assert on_create(_cron(schedule=old)) == [
        f'spec.schedule: Invalid value: "{old}": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
    ]
    assert on_update(_cron(schedule=old), _cron(schedule=new)) == []
    assert on_update(_cron(schedule=old), _cron(schedule=new, timeZone="Etc/UTC")) == [
        f'spec.schedule: Invalid value: "{new}": cannot use both timeZone field and TZ or CRON_TZ in schedule'
    ]


def test_a_cron_job_with_a_long_name_can_still_be_changed() -> None:
    named = {"metadata": {"name": "x" * 53}}
    before, after = merged(_cron(), named), merged(_cron(suspend=True), named)
    assert on_create(before) == [f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters']
    assert on_update(before, after) == []


_ON_NODES = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]}}}  # fmt: skip
_NEAR = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}}
_GONE = {"startTime": "2026-01-01T00:00:00Z", "conditions": [{"type": "Suspended", "status": "True"}]}


def _templated(*, suspend: bool = True, status: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": _LABELS}, "spec": {**_POD, "affinity": _NEAR, **pod}}
    return {**_job(suspend=suspend, template=template), "status": status or {}}


def _with(**container: Any) -> dict[str, Any]:
    return {"containers": [{**_POD["containers"][0], **container}]}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (_templated(), _templated(nodeSelector={"zone": "a"}), True),
        (_templated(), _templated(affinity={**_NEAR, **_ON_NODES}), True),
        (_templated(affinity=_ON_NODES), _templated(affinity=None), True),
        (_templated(affinity=None), _templated(affinity=_NEAR), False),
        (_templated(), _templated(affinity=None), False),
        (_templated(), _templated(**_with(resources={"requests": {"cpu": "2"}})), True),
        (_templated(), _templated(**_with(image="other")), False),
        (_templated(suspend=False), _templated(**_with(resources={"requests": {"cpu": "2"}})), False),
        (_templated(status=_GONE), _templated(nodeSelector={"zone": "a"}), True),
        (_templated(status={**_GONE, "active": 1}), _templated(nodeSelector={"zone": "a"}), False),
        (_templated(status={"startTime": _GONE["startTime"]}), _templated(nodeSelector={"zone": "a"}), False),
    ],
)
def test_templates_of_jobs_at_rest_can_change_where_pods_go_and_what_they_get(
    old: dict[str, Any], new: dict[str, Any], changes: bool
) -> None:
    complaints = [line for line in on_update(old, new) if line.startswith("spec.template:")]
    assert [line[-18:] for line in complaints] == ([] if changes else ["field is immutable"])
