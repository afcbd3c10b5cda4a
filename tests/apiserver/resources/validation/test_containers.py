"""The rules for the containers of a pod: a change to a good one, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import on_create
from pod_documents import pod

AT = "spec.containers[0]"
CONTAINERS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "rules for restarts without a policy",
        {"restartPolicyRules": [{"action": "X", "exitCodes": {"operator": "Y", "values": [1]}}, {"action": "Restart"}]},
        [
            f"{AT}.restartPolicy: Required value: must specify restartPolicy when restart rules are used",
            f'{AT}.restartPolicyRules[0].action: Unsupported value: "X": '
            'supported values: "Restart", "RestartAllContainers"',
            f'{AT}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "Y": supported values: "In", "NotIn"',
            f"{AT}.restartPolicyRules[1].exitCodes: Required value: must be specified",
        ],
    ),
    (
        "too many rules for restarts",
        {
            "restartPolicy": "Never",
            "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}] * 21,
        },
        [f"{AT}.restartPolicyRules: Too many: 21: must have at most 20 items"],
    ),
    (
        "how resizing goes",
        {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "X"}, {"resourceName": "disk"}]},
        [
            f'{AT}.resizePolicy: Unsupported value: "X": supported values: "NotRequired", "RestartContainer"',
            f'{AT}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
            f"{AT}.resizePolicy: Required value",
        ],
    ),
    (
        "pages",
        {"resources": {"limits": {"hugepages-2Mi": "3Mi"}}},
        [
            f'{AT}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": '
            "3Mi is not positive integer multiple of hugepages-2Mi",
            f'{AT}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": '
            "3Mi is not positive integer multiple of hugepages-2Mi",
            f"{AT}.resources: Forbidden: HugePages require cpu or memory",
        ],
    ),
    (
        "divisors",
        {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]},
        [
            f'{AT}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": '
            "only divisor's values 1m and 1 are supported with the cpu resource"
        ],
    ),
    (
        "subscripts",
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName['x']"}}}]},
        [
            f"{AT}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['x']\": "
            "error converting fieldPath: field label does not support subscript: spec.nodeName['x']"
        ],
    ),
    (
        "mounts",
        {
            "volumeMounts": [
                {"name": "e", "mountPath": "/a", "mountPropagation": "Bidirectional"},
                {"name": "e", "mountPath": "/b", "recursiveReadOnly": "Enabled"},
                {"name": "e", "mountPath": "/c", "recursiveReadOnly": "X"},
            ]
        },
        [
            f"{AT}.volumeMounts.mountPropagation: Forbidden: "
            "Bidirectional mount propagation is available only to privileged containers",
            f"{AT}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
            f'{AT}.volumeMounts.recursiveReadOnly: Unsupported value: "X": '
            'supported values: "Disabled", "Enabled", "IfPossible"',
        ],
    ),
    (
        "devices",
        {"volumeDevices": [{"name": "e", "devicePath": "/a"}], "volumeMounts": [{"name": "e", "mountPath": "/a"}]},
        [
            f'{AT}.volumeMounts[0].name: Invalid value: "e": must not already exist in volumeDevices',
            f'{AT}.volumeMounts[0].mountPath: Invalid value: "/a": must not already exist as a path in volumeDevices',
            f'{AT}.volumeDevices[0].name: Invalid value: "e": '
            "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            f'{AT}.volumeDevices[0].name: Invalid value: "e": must not already exist in volumeMounts',
            f'{AT}.volumeDevices[0].devicePath: Invalid value: "/a": must not already exist as a path in volumeMounts',
        ],
    ),
    (
        "two hooks at once",
        {"lifecycle": {"preStop": {"exec": {"command": ["x"]}, "sleep": {"seconds": 1}}}},
        [f"{AT}.lifecycle.preStop.sleep: Forbidden: may not specify more than 1 handler type"],
    ),
    (
        "claims of devices",
        {"resources": {"claims": [{"name": ""}, {"name": "x"}]}},
        [
            f"{AT}.resources.claims[0]: Required value",
            f'{AT}.resources.claims[1]: Not found: "x": '
            "must be one of the names in pod.spec.resourceClaims which is empty",
        ],
    ),
    (
        "more rights than it may get",
        {
            "securityContext": {
                "privileged": True,
                "allowPrivilegeEscalation": False,
                "seLinuxOptions": {"level": "s0"},
                "capabilities": {"drop": ["ALL"]},
            }
        },
        [
            f'{AT}.securityContext: Invalid value: {{"Capabilities":{{"Add":null,"Drop":["ALL"]}},"Privileged":true,'
            '"SELinuxOptions":{"User":"","Role":"","Type":"","Level":"s0"},"WindowsOptions":null,"RunAsUser":null,'
            '"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,'
            '"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: '
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        ],
    ),
    (
        "a resource of Kubernetes' own domain",
        {"resources": {"limits": {"kubernetes.io/batteries": "1"}}},
        [],
    ),
]


@pytest.mark.parametrize(("container", "expected"), [row[1:] for row in CONTAINERS], ids=[row[0] for row in CONTAINERS])
def test_container(container: dict[str, Any], expected: list[str]) -> None:
    assert on_create(pod({"volumes": [{"name": "e", "emptyDir": {}}]}, container)) == expected


@pytest.mark.parametrize("policy", ["Always", "OnFailure"])
def test_init_containers_and_sidecars_have_rules_for_restarts_too(policy: str) -> None:
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [1]}}]
    first = {"name": "s", "image": "i", "restartPolicy": policy, "restartPolicyRules": rules}
    assert on_create(pod({"initContainers": [first]})) == []
    del first["restartPolicy"]
    assert on_create(pod({"initContainers": [first]})) == [
        "spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used"
    ]
