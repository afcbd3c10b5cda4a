"""The rules for what is reported of a pod, as tables: the status before, the one after, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import on_status

SPEC = {
    "containers": [
        {"name": "c", "image": "i"},
        {
            "name": "d",
            "image": "i",
            "restartPolicy": "Never",
            "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}],
        },
    ],
    "restartPolicy": "OnFailure",
    "nodeName": "n",
    "resourceClaims": [{"name": "r", "resourceClaimName": "x"}],
}
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "spec": SPEC}


def ended(name: str, code: int) -> dict[str, Any]:
    return {"name": name, "state": {"terminated": {"exitCode": code}}}


def running(name: str) -> dict[str, Any]:
    return {"name": name, "state": {"running": {}}}


AGAIN = "Forbidden: may not be transitioned to non-terminated state"
ROWS: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("conditions", {}, {"conditions": [{"type": "a b", "status": "True", "observedGeneration": -1}]}, [
        "status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer",
        'status.conditions[0].Type: Invalid value: "a b": name part must consist of alphanumeric characters, '
        "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  "
        "or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ]),
    ("nominated though bound", {}, {"nominatedNodeName": "m"}, [
        "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"
    ]),
    ("success is final", {"containerStatuses": [ended("c", 0)]}, {"containerStatuses": [running("c")]}, [
        f"status.containerStatuses[0].state: {AGAIN}"
    ]),
    ("failure is not", {"containerStatuses": [ended("c", 1)]}, {"containerStatuses": [running("c")]}, []),
    ("but for its own policy", {"containerStatuses": [ended("d", 1)]}, {"containerStatuses": [running("d")]}, [
        f"status.containerStatuses[0].state: {AGAIN}"
    ]),
    ("and its own rules", {"containerStatuses": [ended("d", 42)]}, {"containerStatuses": [running("d")]}, []),
    ("debuggers end once", {"ephemeralContainerStatuses": [ended("e", 1)]},
     {"ephemeralContainerStatuses": [running("e")]},
     [f"status.ephemeralContainerStatuses[0].state: {AGAIN}"]),
    ("two of a family", {}, {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]}, [
        'status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: '
        "may specify no more than one IP for each IP family"
    ]),
    ("host addresses", {}, {"hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.2"}]}, [
        'status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`'
    ]),
    ("claims", {}, {"resourceClaimStatuses": [{"name": "r"}, {"name": "r"}, {"name": "q"}]}, [
        'status.resourceClaimStatuses[1].name: Duplicate value: "r"',
        'status.resourceClaimStatuses[2].name: Invalid value: "q": '
        "must match the name of an entry in `spec.resourceClaims`",
    ]),
    ("devices", {}, {"containerStatuses": [{"name": "c", "allocatedResourcesStatus": [
        {"name": "claim:r", "resources": [{"resourceID": "a", "health": "Sick"}]}]}]}, [
        'status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: "claim:r": must match one of '
        "the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' "
        "if request is empty",
        'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Sick": '
        'supported values: "Healthy", "Unhealthy", "Unknown"',
    ]),
    ("users", {}, {"containerStatuses": [{"name": "c", "user": {"linux": {"uid": -1, "gid": 0}}}]}, [
        "status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_status(old: dict[str, Any], new: dict[str, Any], expected: list[str]) -> None:
    assert on_status(POD, old, new) == expected


@pytest.mark.parametrize("sort", ["containerStatuses", "initContainerStatuses"])
def test_where_one_end_restarts_all_nothing_ends_for_good(sort: str) -> None:
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]
    first = {"name": "i", "image": "i", "restartPolicy": "Never", "restartPolicyRules": rules}
    document = {**POD, "spec": {**SPEC, "restartPolicy": "Never", "initContainers": [first]}}
    name = "c" if sort == "containerStatuses" else "i"
    assert on_status(document, {sort: [ended(name, 0)]}, {sort: [running(name)]}) == []
