"""The rules for pods' specs, as tables: a change to a good pod, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import merged, on_create, on_update

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"}
CONTAINER = {"name": "c", "image": "i"}


def pod(spec: dict[str, Any], container: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    base = {"serviceAccountName": "default", "containers": [{**CONTAINER, **(container or {})}]}
    return {**POD, "metadata": metadata, "spec": merged(base, spec)}


SPECS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("plain", {}, []),
    (
        "negative overhead and unknown resource",
        {"overhead": {"bogus": "1"}},
        [
            'spec.overhead.limits[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
            'spec.overhead.limits[bogus]: Invalid value: "bogus": must be a standard resource for containers',
        ],
    ),
    (
        "claims",
        {"resourceClaims": [{"name": "a"}, {"name": "a", "resourceClaimName": "x", "resourceClaimTemplateName": "y"}]},
        [
            'spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,'
            '"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
            'spec.resourceClaims[1].name: Duplicate value: "a"',
            'spec.resourceClaims[1]: Invalid value: {"Name":"a","ResourceClaimName":"x",'
            '"ResourceClaimTemplateName":"y"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` '
            "may be specified",
        ],
    ),
    (
        "own users",
        {"hostUsers": False, "hostPID": True, "hostIPC": True},
        [
            "spec.HostPID: Forbidden: when `hostUsers` is false",
            "spec.HostIPC: Forbidden: when `hostUsers` is false",
        ],
    ),
    (
        "linux with options of windows",
        {"os": {"name": "linux"}, "securityContext": {"windowsOptions": {"runAsUserName": "a"}}},
        ["spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
    ),
    (
        "windows with options of linux",
        {"os": {"name": "windows"}, "hostPID": True, "securityContext": {"fsGroup": 1, "runAsUser": 2}},
        [
            "spec.hostPID: Forbidden: cannot be set for a windows pod",
            "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
            "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
        ],
    ),
    (
        "host process without the host's network",
        {"securityContext": {"windowsOptions": {"hostProcess": True}}},
        ["spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"],
    ),
    (
        "windows user names",
        {"securityContext": {"windowsOptions": {"runAsUserName": "a\\b\\c", "gmsaCredentialSpec": ""}}},
        [
            'spec.securityContext.windowsOptions.gmsaCredentialSpec: Invalid value: "": '
            "gmsaCredentialSpec cannot be an empty string",
            'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": '
            "runAsUserName cannot contain more than one backslash",
        ],
    ),
    (
        "sysctls of the host's network",
        {"hostNetwork": True, "securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}},
        [
            'spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": '
            "may not be specified when 'hostNetwork' is true"
        ],
    ),
    (
        "profiles",
        {
            "securityContext": {
                "seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "x"},
                "appArmorProfile": {"type": "Localhost", "localhostProfile": " x"},
            }
        },
        [
            "spec.securityContext.seccompProfile.localhostProfile: Invalid value: "
            '{"Type":"RuntimeDefault","LocalhostProfile":"x"}: can only be set when seccomp type is Localhost',
            'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " x": '
            "must not be padded with whitespace",
        ],
    ),
    (
        "SELinux and groups",
        {"securityContext": {"seLinuxChangePolicy": "X", "supplementalGroupsPolicy": "Y"}},
        [
            'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Y": '
            'supported values: "Merge", "Strict"',
            'spec.securityContext.seLinuxChangePolicy: Unsupported value: "X": '
            'supported values: "MountOption", "Recursive"',
        ],
    ),
    (
        "host name",
        {"hostnameOverride": "a", "setHostnameAsFQDN": True, "hostNetwork": True},
        [
            "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
            "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true",
        ],
    ),
    (
        "keys of labels",
        {
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["a"]}
            ]
        },
        [
            "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: "
            "must not be specified when labelSelector is not set"
        ],
    ),
    (
        "keys of affinity",
        {
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "z", "labelSelector": {}, "matchLabelKeys": ["a"], "mismatchLabelKeys": ["a"]}
                    ]
                }
            }
        },
        [
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: "
            'Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys'
        ],
    ),
    (
        "search domains",
        {"dnsConfig": {"searches": ["a" * 60 + "." + "b" * 60 for _ in range(20)]}},
        [
            "spec.dnsConfig.searches: Invalid value: "
            + str(["a" * 60 + "." + "b" * 60 for _ in range(20)]).replace("'", '"').replace(" ", "")
            + ": must not have more than 2048 characters (including spaces) in the search list"
        ],
    ),
    (
        "resources of the pod",
        {
            "resources": {"requests": {"cpu": "1", "storage": "1"}, "limits": {"cpu": "2"}},
            "containers": [{**CONTAINER, "resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": "3"}}}],
        },
        [
            'spec.resources.requests[storage]: Unsupported value: "storage": '
            'supported values: "cpu", "hugepages-", "memory"',
            'spec.resources.requests[cpu]: Invalid value: "1": '
            "must be greater than or equal to aggregate container requests of 1500m",
            'spec.resources.containers[0][cpu].limits: Invalid value: "3": '
            "must be less than or equal to pod limits of 2",
        ],
    ),
    (
        "token of nobody",
        {
            "serviceAccountName": "",
            "volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
        },
        [
            "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: "
            "must not be specified when serviceAccountName is not set"
        ],
    ),
    (
        "files of variables",
        {
            "volumes": [{"name": "v", "hostPath": {"path": "/x"}}],
            "containers": [
                {
                    **CONTAINER,
                    "env": [
                        {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "../x", "key": "k"}}},
                        {"name": "B", "valueFrom": {"fileKeyRef": {"volumeName": "w", "path": "x", "key": ""}}},
                    ],
                }
            ],
        },
        [
            "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: \"../x\": must not contain '..'",
            "spec.containers[0].env[1].valueFrom.fileKeyRef.key: Required value",
            'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": '
            "referenced volume must be of type emptyDir",
            'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "w"',
        ],
    ),
]


@pytest.mark.parametrize(("spec", "expected"), [row[1:] for row in SPECS], ids=[row[0] for row in SPECS])
def test_spec(spec: dict[str, Any], expected: list[str]) -> None:
    assert on_create(pod(spec)) == expected


AT = "spec.containers[0]"
CONTAINERS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "rules for restarts without a policy",
        {"restartPolicyRules": [{"action": "X", "exitCodes": {"operator": "Y", "values": [1]}}, {"action": "Restart"}]},
        [
            f"{AT}.restartPolicy: Required value: must specify restartPolicy when restart rules are used",
            f'{AT}.restartPolicyRules[0].action: Unsupported value: "X": supported values: "Restart"',
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
        "a sidecar's rules",
        {"resources": {"limits": {"kubernetes.io/batteries": "1"}}},
        [],
    ),
]


@pytest.mark.parametrize(("container", "expected"), [row[1:] for row in CONTAINERS], ids=[row[0] for row in CONTAINERS])
def test_container(container: dict[str, Any], expected: list[str]) -> None:
    assert on_create(pod({"volumes": [{"name": "e", "emptyDir": {}}]}, container)) == expected


def test_a_sidecar_always_restarts_and_so_has_no_rules() -> None:
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]
    sidecar = {"name": "s", "image": "i", "restartPolicy": "Always", "restartPolicyRules": rules}
    assert on_create(pod({"initContainers": [sidecar]})) == [
        "spec.initContainers[0].restartPolicyRules: Forbidden: "
        "restartPolicyRules are not allowed for init containers with restart policy Always"
    ]


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


ANNOTATIONS: list[tuple[dict[str, str], list[str]]] = [
    (
        {"controller.kubernetes.io/pod-deletion-cost": "+1"},
        [
            'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": '
            "must be a 32bit integer"
        ],
    ),
    ({"controller.kubernetes.io/pod-deletion-cost": "-5"}, []),
    (
        {"container.apparmor.security.beta.kubernetes.io/d": "bogus"},
        [
            'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": '
            "container not found",
            'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "bogus": '
            'invalid AppArmor profile name: "bogus"',
        ],
    ),
    (
        {"seccomp.security.alpha.kubernetes.io/pod": "bogus"},
        [
            'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "bogus": '
            "must be a valid seccomp profile"
        ],
    ),
]


@pytest.mark.parametrize(("annotations", "expected"), ANNOTATIONS)
def test_annotations(annotations: dict[str, str], expected: list[str]) -> None:
    assert on_create(pod({}, annotations=annotations)) == expected


def test_annotation_and_field_say_the_same() -> None:
    context = {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}
    annotations = {"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"}
    assert on_create(pod(context, annotations=annotations)) == [
        "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: "
        "apparmor type in annotation and field must match"
    ]


GATED = {
    "schedulingGates": [{"name": "g"}],
    "nodeSelector": {"a": "b"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "Exists"}]}]
            }
        }
    },
}
TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"


def _terms(*keys: str) -> dict[str, Any]:
    expressions = [{"key": key, "operator": "Exists"} for key in keys]
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


STEERING: list[tuple[dict[str, Any], list[str]]] = [
    ({"schedulingGates": []}, []),
    ({"nodeSelector": {"c": "d"}}, []),
    (_terms("k", "l"), []),
    (
        {"nodeSelector": {"a": "x"}},
        [
            'spec.nodeSelector: Invalid value: {"a":"x"}: '
            "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        ],
    ),
    (
        _terms("l"),
        [
            f'{TERMS}[0]: Invalid value: {{"MatchExpressions":[{{"Key":"l","Operator":"Exists","Values":null}}],'
            '"MatchFields":null}: only additions are allowed (no mutations or deletions)'
        ],
    ),
    (
        {"schedulingGates": [{"name": "g"}, {"name": "h"}]},
        ["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"],
    ),
]


@pytest.mark.parametrize(("change", "expected"), STEERING)
def test_a_gated_pod_is_only_steered_closer(change: dict[str, Any], expected: list[str]) -> None:
    assert on_update(pod(GATED), merged(pod(GATED), {"spec": change})) == expected


def test_annotations_that_say_what_runs_stay() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/c"
    old, new = pod({}, annotations={key: "unconfined"}), pod({}, annotations={"kubernetes.io/config.mirror": "x"})
    assert on_update(old, new) == [
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": '
        "must set spec.nodeName if mirror pod annotation is set",
        f"metadata.annotations[{key}]: Forbidden: may not remove or update AppArmor annotations",
        "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation",
    ]
