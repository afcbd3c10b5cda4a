"""The rules for the volumes of a pod, source by source."""

from __future__ import annotations

from typing import Any

import pytest
from causes import on_create
from pod_documents import pod

VOLUMES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"gitRepo": {"repository": "", "directory": "/x"}},
        [
            "spec.volumes[0].gitRepo.repository: Required value",
            'spec.volumes[0].gitRepo.directory: Invalid value: "/x": must be a relative path',
        ],
    ),
    (
        {"gcePersistentDisk": {"pdName": "", "partition": 300}},
        [
            "spec.volumes[0].persistentDisk.pdName: Required value",
            "spec.volumes[0].persistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive",
        ],
    ),
    (
        {"nfs": {"server": "", "path": "x"}},
        [
            "spec.volumes[0].nfs.server: Required value",
            'spec.volumes[0].nfs.path: Invalid value: "x": must be an absolute path',
        ],
    ),
    (
        {"iscsi": {"targetPortal": "", "iqn": "x", "lun": 256, "chapAuthSession": True}},
        [
            "spec.volumes[0].iscsi.targetPortal: Required value",
            'spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
            "spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
            "spec.volumes[0].iscsi.secretRef: Required value",
        ],
    ),
    (
        {"glusterfs": {"endpoints": "", "path": ""}},
        [
            "spec.volumes[0].glusterfs.endpoints: Required value",
            "spec.volumes[0].glusterfs.path: Required value",
        ],
    ),
    ({"flocker": {}}, ["spec.volumes[0].flocker: Required value: one of datasetName and datasetUUID is required"]),
    (
        {"rbd": {"monitors": [], "image": ""}},
        [
            "spec.volumes[0].rbd.monitors: Required value",
            "spec.volumes[0].rbd.image: Required value",
        ],
    ),
    (
        {"cinder": {"volumeID": "", "secretRef": {}}},
        [
            "spec.volumes[0].cinder.volumeID: Required value",
            "spec.volumes[0].cinder.secretRef.name: Required value",
        ],
    ),
    ({"cephfs": {"monitors": []}}, ["spec.volumes[0].cephfs.monitors: Required value"]),
    (
        {"quobyte": {"registry": "x", "volume": ""}},
        [
            'spec.volumes[0].quobyte.registry: Invalid value: "x": '
            "must be a host:port pair or multiple pairs separated by commas",
            "spec.volumes[0].quobyte.volume: Required value",
        ],
    ),
    (
        {"fc": {"targetWWNs": ["a"], "wwids": ["b"]}},
        [
            'spec.volumes[0].fc.targetWWNs: Invalid value: ["a"]: '
            "targetWWNs and wwids can not be specified simultaneously",
            "spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified",
        ],
    ),
    (
        {"flexVolume": {"driver": "", "options": {"kubernetes.io/x": "1"}}},
        [
            "spec.volumes[0].flexVolume.driver: Required value",
            'spec.volumes[0].flexVolume.options[kubernetes.io/x]: Invalid value: "kubernetes.io/x": '
            "kubernetes.io and k8s.io namespaces are reserved",
        ],
    ),
    (
        {"azureFile": {"secretName": "", "shareName": ""}},
        [
            "spec.volumes[0].azureFile.secretName: Required value",
            "spec.volumes[0].azureFile.shareName: Required value",
        ],
    ),
    (
        {"azureDisk": {"diskName": "d", "diskURI": "x", "kind": "Managed"}},
        [
            'spec.volumes[0].azureDisk.diskURI: Unsupported value: "x": supported values: "/subscriptions/{sub-id}/'
            'resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"'
        ],
    ),
    (
        {"scaleIO": {"gateway": "", "system": "", "secretRef": {}}},
        [
            "spec.volumes[0].scaleIO.gateway: Required value",
            "spec.volumes[0].scaleIO.system: Required value",
            "spec.volumes[0].scaleIO.volumeName: Required value",
        ],
    ),
    (
        {"storageos": {"volumeName": "", "secretRef": {}}},
        [
            "spec.volumes[0].storageos.volumeName: Required value",
            "spec.volumes[0].storageos.secretRef.name: Required value",
        ],
    ),
    (
        {"csi": {"driver": "", "nodePublishSecretRef": {}}},
        [
            "spec.volumes[0].csi.driver: Required value",
            "spec.volumes[0].csi.nodePublishSecretRef.name: Required value",
        ],
    ),
    (
        {"image": {"reference": "", "pullPolicy": "X"}},
        [
            'spec.volumes[0].image.pullPolicy: Unsupported value: "X": '
            'supported values: "Always", "IfNotPresent", "Never"',
            "spec.volumes[0].image.reference: Required value",
        ],
    ),
    (
        {"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "n"}, "spec": {}}}},
        [
            "spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
            "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: "
            "at least 1 access mode is required",
            "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
        ],
    ),
    (
        {
            "projected": {
                "sources": [
                    {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}},
                    {"configMap": {"name": "m", "items": [{"key": "k", "path": "p"}]}, "downwardAPI": {}},
                ]
            }
        },
        [
            'spec.volumes[0].projected: Invalid value: "m": conflicting duplicate paths',
            "spec.volumes[0].projected.sources[1]: Forbidden: may not specify more than 1 volume type per source",
        ],
    ),
    (
        {"cephfs": {"monitors": ["a"]}, "downwardAPI": {}, "emptyDir": {}},
        [
            "spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type",
            "spec.volumes[0].downwarAPI: Forbidden: may not specify more than 1 volume type",
        ],
    ),
]


@pytest.mark.parametrize(("source", "expected"), VOLUMES, ids=[next(iter(row[0])) for row in VOLUMES])
def test_volume(source: dict[str, Any], expected: list[str]) -> None:
    assert on_create(pod({"volumes": [{"name": "v", **source}]})) == expected


def test_claims_of_ephemeral_volumes_are_called_after_the_pod() -> None:
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    volumes = [
        {"name": "a", "ephemeral": {"volumeClaimTemplate": template}},
        {"name": "b", "persistentVolumeClaim": {"claimName": "x-a"}},
    ]
    assert on_create(pod({"volumes": volumes})) == [
        'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "x-a": '
        "must not reference a PVC that gets created for an ephemeral volume"
    ]
    # The same spec is fine for a pod of another name, whatever was remembered of it.
    assert on_create(pod({"volumes": volumes}, name="y")) == []
