"""The rules for the spec of a pod, its containers and volumes aside: a change to a good pod, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import on_create
from pod_documents import CONTAINER, pod

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
        "the same spreading twice",
        {
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"},
                {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"},
                {"maxSkew": 2, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"},
            ]
        },
        ['spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"'],
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
    (
        "a sysctl by its two names",
        {"securityContext": {"sysctls": [{"name": n, "value": "1"} for n in ("net.a", "net/a", "net.a")]}},
        ['spec.securityContext.sysctls[2].name: Duplicate value: "net.a"'],
    ),
    ("an empty policy", {"preemptionPolicy": ""}, ["spec.preemptionPolicy: Required value"]),
    (
        "addresses of two meanings",
        {"hostAliases": [{"ip": "010.0.0.1"}], "dnsConfig": {"nameservers": ["::ffff:10.0.0.1"]}},
        [
            'spec.dnsConfig.nameservers[0]: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address',
            'spec.hostAliases[0].ip: Invalid value: "010.0.0.1": must not have leading 0s',
        ],
    ),
]


@pytest.mark.parametrize(("spec", "expected"), [row[1:] for row in SPECS], ids=[row[0] for row in SPECS])
def test_spec(spec: dict[str, Any], expected: list[str]) -> None:
    assert on_create(pod(spec)) == expected
