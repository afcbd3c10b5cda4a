"""The tests "should support ... API operations", one row each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driving import Api, alone, simulated
from tests.conformance.operations import Kind, supports_operations

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "e2e"}},
    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "300"]}]},
}
FLOW_SCHEMA = {
    "matchingPrecedence": 10000,
    "priorityLevelConfiguration": {"name": "global-default"},
    "distinguisherMethod": {"type": "ByUser"},
    "rules": [
        {
            "subjects": [{"kind": "User", "user": {"name": "example-e2e-non-existent-user"}}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }
    ],
}
PRIORITY_LEVEL = {"type": "Limited", "limited": {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}}}
UPDATED = [{"type": "StatusUpdated", "status": "True", "reason": "E2E", "message": "Set by an e2e test"}]
CRON_STATUS = {"lastScheduleTime": "2030-01-01T00:00:00Z"}
FLOW = "flowcontrol.apiserver.k8s.io/v1"

ROWS = {
    "[sig-api-machinery] API priority and fairness should support FlowSchema API operations": Kind(
        FLOW, "flowschemas", "FlowSchema", {"spec": FLOW_SCHEMA}, ("status",), {"conditions": UPDATED}, False, True
    ),
    "[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations": Kind(
        FLOW,
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        {"spec": PRIORITY_LEVEL},
        ("status",),
        {"conditions": UPDATED},
        False,
        True,
    ),
    "[sig-apps] CronJob should support CronJob API operations": Kind(
        "batch/v1",
        "cronjobs",
        "CronJob",
        {"spec": {"schedule": "*/1 * * * ?", "suspend": True, "jobTemplate": {"spec": {"template": TEMPLATE}}}},
        ("status",),
        CRON_STATUS,
    ),
}


@pytest.mark.parametrize("title", ROWS)
def test_supports_api_operations(title: str) -> None:
    """The API server alone takes every request."""

    async def story(api: Api) -> None:
        await supports_operations(api, ROWS[title])

    alone(story)()


@pytest.mark.parametrize("title", ROWS)
def test_supports_api_operations_while_controllers_look_on(title: str) -> None:
    """The same, and no controller of a cluster is in the way."""

    async def story(api: Api) -> None:
        await supports_operations(api, ROWS[title])

    simulated(story)()
