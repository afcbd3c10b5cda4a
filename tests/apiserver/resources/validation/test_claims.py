"""The rules for PersistentVolumeClaims and PersistentVolumes, as tables."""

from __future__ import annotations

from typing import Any

import pytest
from causes import made, merged, on_create, on_status, on_update

CLAIM: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
}
VOLUME: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "d.example.com", "volumeHandle": "h"},
    },
}
IMMUTABLE = "spec: Forbidden: spec is immutable after creation except resources.requests and "
IMMUTABLE += "volumeAttributesClassName for bound claims"

CLAIMS: list[tuple[dict[str, Any], list[str]]] = [
    ({"accessModes": ["ReadWriteOncePod", "X"]}, [
        'spec.accessModes: Unsupported value: "X": supported values: '
        '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
    ]),
    ({"dataSource": {"kind": "Bogus", "name": "x"}}, []),
    ({"dataSourceRef": {"apiGroup": "bad_group", "kind": "K", "name": "x"}}, [
        'spec.dataSourceRef.apiGroup: Invalid value: "bad_group": a lowercase RFC 1123 subdomain must consist of lower '
        "case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
        "'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    ]),
    ({"dataSource": {"kind": "PersistentVolumeClaim", "name": "x"},
      "dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "y"}}, [
        'spec: Invalid value: "spec.dataSource": must match dataSourceRef'
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CLAIMS)
def test_claim(change: dict[str, Any], expected: list[str]) -> None:
    assert [
        line for line in on_create(merged(CLAIM, {"spec": change})) if "dataSource.apiGroup" not in line
    ] == expected


def test_sources_that_nothing_can_fill_are_dropped() -> None:
    claim = made(merged(CLAIM, {"spec": {"dataSource": {"apiGroup": "example.com", "kind": "Bogus", "name": "x"}}}))
    assert (claim.spec.data_source, claim.spec.data_source_ref) == (None, None)
    elsewhere = {"kind": "PersistentVolumeClaim", "name": "x", "namespace": "other"}
    assert made(merged(CLAIM, {"spec": {"dataSourceRef": elsewhere}})).spec.data_source_ref is None


UPDATES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {"volumeName": "v"}, []),
    ({}, {"storageClassName": "late"}, []),
    ({"storageClassName": "a"}, {"storageClassName": "b"}, [IMMUTABLE]),
    ({}, {"resources": {"requests": {"storage": "3Gi"}}}, [IMMUTABLE]),
    ({"volumeAttributesClassName": "a"}, {"volumeAttributesClassName": None}, [
        IMMUTABLE,
        "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "change", "expected"), UPDATES)
def test_claim_update(before: dict[str, Any], change: dict[str, Any], expected: list[str]) -> None:
    old = merged(CLAIM, {"spec": before})
    assert on_update(old, merged(old, {"spec": change})) == expected


def test_claim_status() -> None:
    status = {
        "capacity": {"storage": "-1"},
        "allocatedResourceStatuses": {"cpu": "X"},
        "allocatedResources": {"storage": "-1"},
    }
    assert on_status(CLAIM, {}, status) == [
        "status.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
        'status.allocatedResourceStatus: Unsupported value: "cpu": supported values: "storage"',
        'status.allocatedResourceStatus: Unsupported value: "cpu": supported values: "ControllerResizeInProgress", '
        '"ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
        "status.allocatedResources[storage]: Invalid value: -1: must be a valid resource quantity",
    ]


VOLUMES: list[tuple[dict[str, Any], list[str]]] = [
    ({"csi": {"controllerExpandSecretRef": {"name": "s"}, "driver": "x" * 64}}, [
        "spec.csi.driver: Too long: may not be more than 63 bytes",
        "spec.csi.controllerExpandSecretRef.namespace: Required value",
    ]),
    ({"csi": None, "hostPath": {"path": "/x/.."}, "persistentVolumeReclaimPolicy": "Recycle"}, [
        "spec.hostPath.path: Invalid value: \"/x/..\": must not contain '..'",
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ]),
    ({"csi": None, "local": {"path": "/x"}, "volumeAttributesClassName": "c"}, [
        "spec.nodeAffinity: Required value: Local volume requires node affinity",
        "spec.csi: Required value: has to be specified when using volumeAttributesClassName",
    ]),
    ({"csi": None, "cinder": {"volumeID": "v", "secretRef": {"name": "s"}}}, [
        "spec.cinder.secretRef.namespace: Required value"
    ]),
    ({"nfs": {"server": "s", "path": "/"}}, ["spec.csi: Forbidden: may not specify more than 1 volume type"]),
    ({"csi": None, "iscsi": {"targetPortal": "p", "iqn": "x", "lun": 0}}, [
        'spec.iscsi.iqn: Invalid value: "x": must be valid format'
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), VOLUMES)
def test_volume(change: dict[str, Any], expected: list[str]) -> None:
    assert on_create(merged(VOLUME, {"spec": change})) == expected


def affinity(key: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}


OLD_ZONE, NEW_ZONE = "failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"
VOLUME_UPDATES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {"csi": {"controllerExpandSecretRef": {"name": "s", "namespace": "ns"}}}, []),
    ({}, {"csi": {"volumeHandle": "other"}}, [
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
    ]),
    ({}, affinity("a"), []),
    (affinity(OLD_ZONE), affinity(NEW_ZONE), []),
    (affinity("a"), affinity("b"), [
        'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"b",'
        '"Operator":"Exists","Values":null}],"MatchFields":null}]}}: '
        "field is immutable, except for updating from beta label to GA"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "change", "expected"), VOLUME_UPDATES)
def test_volume_update(before: dict[str, Any], change: dict[str, Any], expected: list[str]) -> None:
    old = merged(VOLUME, {"spec": before})
    assert on_update(old, merged(old, {"spec": change})) == expected
