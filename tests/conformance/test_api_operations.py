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
# Kinds whose tests ask for the same; a controller of a cluster may do something with some of them.
HTTP = {"name": "http", "port": 80, "protocol": "TCP"}
BACKEND = {"service": {"name": "default-backend", "port": {"number": 80}}}
ADMISSION = "admissionregistration.k8s.io/v1"
HOOK = {
    "name": "hook.example.com",
    "clientConfig": {"url": "https://hook.example.com/"},
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    # Nothing is ever asked of it.
    "matchConditions": [{"name": "never", "expression": "false"}],
}
RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
POLICY = {
    "matchConstraints": {"resourceRules": [RULE]},
    "validations": [{"expression": "object.spec.replicas <= 100"}],
}
MUTATION = {
    "matchConstraints": {"resourceRules": [RULE]},
    "reinvocationPolicy": "Never",
    "mutations": [
        {
            "patchType": "ApplyConfiguration",
            "applyConfiguration": {"expression": 'Object{metadata: Object.metadata{labels: {"a": "b"}}}'},
        }
    ],
}
CLAIM = {"devices": {"requests": [{"name": "req", "exactly": {"deviceClassName": "example"}}]}}
PROTECTED = ("PersistentVolume", "VolumeAttributesClass")
OTHERS = (
    Kind("v1", "podtemplates", "PodTemplate", {"template": TEMPLATE}),
    Kind("v1", "configmaps", "ConfigMap", {"data": {"a": "b"}}),
    Kind("v1", "secrets", "Secret", {"stringData": {"a": "b"}}),
    Kind(
        "v1",
        "persistentvolumes",
        "PersistentVolume",
        {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/a"}}},
        namespaced=False,
    ),
    Kind("v1", "endpoints", "Endpoints", {"subsets": [{"addresses": [{"ip": "10.0.0.24"}], "ports": [HTTP]}]}),
    Kind("coordination.k8s.io/v1", "leases", "Lease", {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 30}}),
    Kind(
        "discovery.k8s.io/v1",
        "endpointslices",
        "EndpointSlice",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["1.2.3.4", "5.6.7.8"]}], "ports": [HTTP]},
    ),
    Kind(
        "networking.k8s.io/v1",
        "ingresses",
        "Ingress",
        {"spec": {"defaultBackend": BACKEND}},
        ("status",),
        {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}},
    ),
    Kind(
        "networking.k8s.io/v1",
        "ingressclasses",
        "IngressClass",
        {"spec": {"controller": "example.com/controller"}},
        namespaced=False,
    ),
    Kind("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", {"spec": {"podSelector": {}}}),
    Kind("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", {"handler": "runc"}, namespaced=False),
    Kind(
        "policy/v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}},
        ("status",),
        {"conditions": [{**UPDATED[0], "lastTransitionTime": "2030-01-01T00:00:00Z"}]},
    ),
    Kind("storage.k8s.io/v1", "storageclasses", "StorageClass", {"provisioner": "e2e-fake"}, namespaced=False),
    Kind("storage.k8s.io/v1", "csidrivers", "CSIDriver", {"spec": {"attachRequired": False}}, namespaced=False),
    Kind("storage.k8s.io/v1", "csinodes", "CSINode", {"spec": {"drivers": []}}, namespaced=False),
    Kind("storage.k8s.io/v1", "csistoragecapacities", "CSIStorageCapacity", {"storageClassName": "e2e"}),
    Kind(
        "storage.k8s.io/v1",
        "volumeattachments",
        "VolumeAttachment",
        {"spec": {"attacher": "e2e", "nodeName": "n", "source": {"persistentVolumeName": "pv"}}},
        ("status",),
        {"attached": True},
        False,
        True,
    ),
    Kind(
        "storage.k8s.io/v1",
        "volumeattributesclasses",
        "VolumeAttributesClass",
        {"driverName": "e2e", "parameters": {"a": "b"}},
        namespaced=False,
    ),
    Kind("resource.k8s.io/v1", "deviceclasses", "DeviceClass", {"spec": {}}, namespaced=False),
    Kind(
        "resource.k8s.io/v1", "resourceclaims", "ResourceClaim", {"spec": CLAIM}, ("status",), {}, guards_metadata=True
    ),
    Kind("resource.k8s.io/v1", "resourceclaimtemplates", "ResourceClaimTemplate", {"spec": {"spec": CLAIM}}),
    Kind(
        "resource.k8s.io/v1",
        "resourceslices",
        "ResourceSlice",
        {
            "spec": {
                "driver": "e2e.example.com",
                "nodeName": "n",
                "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
            }
        },
        namespaced=False,
    ),
    Kind(
        ADMISSION,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        {"webhooks": [{**HOOK, "rules": [RULE]}]},
        namespaced=False,
    ),
    Kind(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        {"webhooks": [{**HOOK, "rules": [RULE]}]},
        namespaced=False,
    ),
    Kind(
        ADMISSION,
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        {"spec": POLICY},
        ("status",),
        {"conditions": [{**UPDATED[0], "lastTransitionTime": "2030-01-01T00:00:00Z"}]},
        guards_metadata=True,
        namespaced=False,
    ),
    Kind(
        ADMISSION,
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        {"spec": {"policyName": "p", "validationActions": ["Deny"]}},
        namespaced=False,
    ),
    Kind(ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy", {"spec": MUTATION}, namespaced=False),
    Kind(
        ADMISSION,
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        {"spec": {"policyName": "p"}},
        namespaced=False,
    ),
)


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_supports_the_same_operations_of_other_groups(kind: Kind) -> None:
    """What network, node, storage and admission tests ask of their kinds; some go only when controllers let them."""

    async def story(api: Api) -> None:
        await supports_operations(api, kind)

    (simulated if kind.kind in PROTECTED else alone)(story)()


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
