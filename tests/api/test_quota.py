"""What objects count for, and which quotas they fall under."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pybernetes.api.kinds import kind_of
from pybernetes.api.quota import is_relevant, usage
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod, ResourceQuota
from pybernetes.api.types.resource_v1 import ResourceClaim

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def of(type_: type[Any], **fields: Any) -> Any:
    return msgspec.convert({"metadata": {"name": "x"}, **fields}, type_)


def counted(obj: Any) -> dict[str, Any]:
    return {key: str(amount) for key, amount in usage(obj, kind_of(type(obj)), NOW).items()}


def test_a_pod_that_ought_to_be_gone_uses_nothing_but_its_place() -> None:
    meta = {"name": "x", "deletionTimestamp": "2029-12-31T23:59:20Z", "deletionGracePeriodSeconds": 30}
    assert counted(of(Pod, metadata=meta)) == {"count/pods": "1"}
    assert counted(of(Pod, metadata={**meta, "deletionGracePeriodSeconds": 60}))["pods"] == "1"


def test_a_pod_holds_what_it_has_until_a_resize_gives_it_back() -> None:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}
    having = {"name": "c", "resources": {"requests": {"cpu": "3"}}, "allocatedResources": {"cpu": "2"}}
    shrinking = of(Pod, spec={"containers": [container]}, status={"containerStatuses": [having]})
    assert counted(shrinking)["requests.cpu"] == "3"
    assert counted(shrinking)["limits.cpu"] == "2"


def test_claims_count_by_class_in_whole_bytes_and_for_what_an_expansion_has_taken() -> None:
    spec = {"storageClassName": "gold", "resources": {"requests": {"storage": "1500m"}}}
    claim = of(PersistentVolumeClaim, spec=spec, status={"allocatedResources": {"storage": "2Gi"}})
    assert counted(claim)["requests.storage"] == "2Gi"
    claim = of(PersistentVolumeClaim, spec=spec)
    assert counted(claim)["gold.storageclass.storage.k8s.io/requests.storage"] == "2"


def test_devices_count_by_class_and_alternatives_for_the_greatest() -> None:
    requests = [
        {"name": "a", "exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 2}},
        {
            "name": "b",
            "firstAvailable": [
                {"name": "one", "deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1},
                {"name": "two", "deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 3},
                {"name": "all", "deviceClassName": "nic", "allocationMode": "All"},
            ],
        },
    ]
    assert counted(of(ResourceClaim, spec={"devices": {"requests": requests}})) == {
        "count/resourceclaims.resource.k8s.io": "1",
        "gpu.deviceclass.resource.k8s.io/devices": "5",
        "nic.deviceclass.resource.k8s.io/devices": "32",
    }


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ["slow"], True),
        ("In", ["fast"], True),
        ("In", ["other"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_a_claim_falls_under_a_quota_by_the_classes_it_has_and_is_to_have(
    operator: str, values: list[str], expected: bool
) -> None:
    scope = {"scopeName": "VolumeAttributesClass", "operator": operator, "values": values}
    quota = of(ResourceQuota, spec={"scopeSelector": {"matchExpressions": [scope]}})
    claim = of(
        PersistentVolumeClaim,
        spec={"volumeAttributesClassName": "fast"},
        status={"currentVolumeAttributesClassName": "slow"},
    )
    assert is_relevant(quota, claim) is expected
    assert not is_relevant(quota, of(Pod))


def test_a_pod_that_asks_for_nothing_of_cpu_and_memory_is_best_effort() -> None:
    quota = of(ResourceQuota, spec={"scopes": ["BestEffort"]})
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "0", "example.com/gpu": "1"}}}
    assert is_relevant(quota, of(Pod, spec={"containers": [container]}))
    whole = {"containers": [container], "resources": {"requests": {"memory": "1Gi"}}}
    assert not is_relevant(quota, of(Pod, spec=whole))
