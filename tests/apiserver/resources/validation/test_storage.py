"""What is said of storage classes, drivers, their nodes and capacity, and of attachments."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status, on_update

_ATTACHMENT = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "VolumeAttachment",
    "spec": {"attacher": "csi.example.com", "nodeName": "n", "source": {"persistentVolumeName": "pv"}},
}
_ONE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


def _document(kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "storage.k8s.io/v1", "kind": kind, **fields}


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({}, []),
        ({"attacher": ""}, ["spec.attacher: Required value"]),
        ({"source": None}, [f"spec.source: Required value: {_ONE}"]),
        ({"source": {"persistentVolumeName": ""}},
         ["spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName"]),
        ({"source": {"persistentVolumeName": None, "inlineVolumeSpec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "nfs": {"server": "s", "path": "/"}}}},
         ["spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes",
          "spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes"]),
    ],
)  # fmt: skip
def test_attachments(patch: dict[str, Any], said: list[str]) -> None:
    assert [line for line in on_create(merged(_ATTACHMENT, {"spec": patch})) if "lowercase" not in line] == said


def test_an_attachment_stays_but_for_its_status() -> None:
    said = on_update(_ATTACHMENT, merged(_ATTACHMENT, {"spec": {"nodeName": "m"}}))
    assert len(said) == 1
    assert said[0].endswith("field is immutable")
    status = {"attachError": {"message": "x" * 1025, "errorCode": -1}}
    assert on_status(_ATTACHMENT, {}, status) == [
        "status.attachError.message: Too long: may not be more than 262144 bytes",
        "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_document("CSINode", spec={"drivers": [{"name": "d", "nodeID": "n", "topologyKeys": ["zone"]}]}), []),
        (_document("CSINode", spec={"drivers": [
            {"name": "d", "nodeID": "", "topologyKeys": ["a", "a"], "allocatable": {"count": -1}},
            {"name": "d", "nodeID": "n"}]}),
         ["spec.drivers[0].nodeID: Required value",
          "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
          'spec.drivers[0]: Duplicate value: "a"',
          'spec.drivers[1].name: Duplicate value: "d"']),
        (_document("CSIDriver", spec={"tokenRequests": [{"audience": "a", "expirationSeconds": 1}, {"audience": "a"}]}),
         ["spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes",
          'spec.tokenRequests[1].audience: Duplicate value: "a"']),
        (_document("CSIStorageCapacity", storageClassName="fast", capacity="-1Gi"),
         ['capacity: Invalid value: "-1Gi": must be greater than or equal to 0']),
        (_document("VolumeAttributesClass", driverName="d"),
         ["parameters: Required value: must contain at least one key/value pair"]),
        (_document("StorageClass", provisioner="p", allowedTopologies=[
            {"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}, {"key": "zone"}]}]),
         ['allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
          "allowedTopologies[0].matchLabelExpressions[1].values: Required value",
          'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"']),
        (_document("StorageClass", provisioner="p", parameters={str(n): "" for n in range(513)}),
         ["parameters: Too long: may not be more than 512 bytes"]),
    ],
)  # fmt: skip
def test_creates(document: dict[str, Any], said: list[str]) -> None:
    assert on_create(document) == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (_document("CSIDriver", spec={}), _document("CSIDriver", spec={"attachRequired": False}),
         ["spec.attachedRequired: Invalid value: false: field is immutable"]),
        (_document("CSIStorageCapacity", storageClassName="a"), _document("CSIStorageCapacity", storageClassName="b"),
         ['storageClassName: Invalid value: "b": field is immutable']),
        (_document("VolumeAttributesClass", driverName="a", parameters={"a": "b"}),
         _document("VolumeAttributesClass", driverName="b", parameters={"a": "c"}),
         ["driverName: Forbidden: updates to driverName are forbidden.",
          "parameters: Forbidden: updates to parameters are forbidden."]),
        (_document("CSINode", spec={"drivers": [{"name": "d", "nodeID": "n", "allocatable": {"count": 2}}]}),
         _document("CSINode", spec={"drivers": [{"name": "d", "nodeID": "n", "allocatable": {"count": 3}}]}), []),
    ],
)  # fmt: skip
def test_updates(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert on_update(old, new) == said
