"""Warnings on creates, compared with those of a real API server."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_files import Step, decoded, kind_of_path, scenarios, steps

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Service
from pybernetes.apiserver.resources.strategies import strategy_of

# Said by other stages: served versions, decoding, schemas, custom resources.
ELSEWHERE = ("deprecated in v1.33+", "unknown field", "duplicate field", "Widget is deprecated")


def _creates() -> list[Step]:
    found = []
    for folder in ("defaults", "errors"):
        for scenario in scenarios(folder):
            for step in steps(folder, scenario):
                good = step.method == "POST" and step.status == 201 and kind_of_path(step.path) is not None
                if good and isinstance(step.body, dict) and "certificatesigning" not in scenario:
                    found.append(step)
    return [step for step in found if step.label != "pod-validation[59]" and "subresources" not in step.scenario]


def test_creates_are_warned_about_as_upstream_does() -> None:
    for step in _creates():
        kind = kind_of_path(step.path)
        assert kind is not None
        if not isinstance(step.body.get("metadata"), dict):
            continue
        obj = decoded(kind, step.body)
        strategy = strategy_of(kind)
        strategy.default(obj)
        strategy.prepare_create(obj)
        expected = [text for text in step.warnings if not any(part in text for part in ELSEWHERE)]
        assert strategy.warnings(obj, None) == expected, step.label


@pytest.mark.parametrize("name", ["a", "a.b"])
def test_only_makers_of_pods_with_odd_names_are_warned(name: str) -> None:
    kind = kind_of_path("/apis/apps/v1/namespaces/x/deployments")
    assert kind is not None
    deployment = kind.type()
    deployment.metadata.name = name
    warnings = strategy_of(kind).warnings(deployment, None)
    assert bool(warnings) == ("." in name)
    assert strategy_of(kind).warnings(deployment, deployment) == []


_TEMPLATE = "/apis/apps/v1/namespaces/x/deployments"


def _warned(path: str, document: dict[str, Any]) -> list[str]:
    kind = kind_of_path(path)
    assert kind is not None
    obj = from_builtins({"metadata": {"name": "a"}, **document}, kind.type)
    return strategy_of(kind).warnings(obj, None)


_OLD_ARCH = 'deprecated since v1.14; use "kubernetes.io/arch" instead'


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}},
         [f"spec.nodeSelector[beta.kubernetes.io/arch]: {_OLD_ARCH}"]),
        ({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a"}]}}},
         ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: "
          "a null labelSelector results in matching no pod"]),
        ({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"preference": {
            "matchExpressions": [{"key": "beta.kubernetes.io/arch", "operator": "Exists"}]}}]}}},
         ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference."
          f"matchExpressions[0].key: beta.kubernetes.io/arch is {_OLD_ARCH}"]),
        ({"hostAliases": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]},
         ['spec.hostAliases[1].ip: duplicate ip "10.0.0.1"']),
        ({"volumes": [{"name": "v", "gitRepo": {"repository": "r"}}]},
         ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"]),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s", "items": [
            {"key": "a", "path": "x/y"}, {"key": "b", "path": "x"}, {"key": "c", "path": "xy"}]}}]},
         ['volume "v" (Secret "s"): overlapping paths: "x" with "x/y"']),
        ({"volumes": [{"name": "v", "projected": {"sources": [
            {"configMap": {"name": "m", "items": [{"key": "a", "path": "token"}]}}, {},
            {"serviceAccountToken": {"path": "token/"}}]}}]},
         ['volume "v" (Projected) has no sources provided',
          'volume "v" (Projected): overlapping paths: "token" (ServiceAccountToken) with "token" (ConfigMap "m")']),
        ({"volumes": [{"name": "v", "configMap": {"name": "m", "items": [
            {"key": "a", "path": "x"}, {"key": "b", "path": "x-y"}, {"key": "c", "path": "x/y/z"},
            {"key": "d", "path": "x/y"}, *({"key": "e", "path": f"many/{number}"} for number in range(20_000))]}}]},
         ['volume "v" (ConfigMap "m"): overlapping paths: "x/y/z" with "x"',
          'volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"',
          'volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x/y/z"']),
        ({"dnsConfig": {"nameservers": ["fd00:0::1"]}, "hostAliases": [{"ip": "::ffff:10.0.0.1"}]},
         ['spec.dnsConfig.nameservers[0]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")',
          'spec.hostAliases[0].ip: non-standard IP address "::ffff:10.0.0.1" will be considered invalid in a future '
          'Kubernetes release: use "10.0.0.1"']),
        ({"overhead": {"memory": "100m"}},
         ['spec.overhead[memory]: fractional byte value "100m" is invalid, must be an integer']),
        ({"containers": [{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}]}]}, []),
        ({"containers": [{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]},
         ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply']),
        ({"containers": [{"name": "c", "ports": [{"containerPort": 80}]},
                         {"name": "d", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
         ["spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[0]"]),
        ({"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostIP": "10.0.0.1", "protocol": "TCP"}]}]},
         ["spec.containers[0].ports[0]: hostIP set without hostPort: "
          "{Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"]),
        ({"containers": [{"name": "c", "ports": [{"containerPort": 80, "name": "web"}]},
                         {"name": "d", "ports": [{"containerPort": 81, "name": "web"}]}]},
         ['spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], '
          "services and probes that select ports by name will use spec.containers[0].ports[0]"]),
        ({"terminationGracePeriodSeconds": -1},
         ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]),
    ],
)  # fmt: skip
def test_pods_and_templates(spec: dict[str, Any], said: list[str]) -> None:
    assert _warned("/api/v1/namespaces/x/pods", {"spec": spec}) == said
    assert _warned(_TEMPLATE, {"spec": {"template": {"spec": spec}}}) == [
        line.replace("spec.", "spec.template.spec.") for line in said
    ]
    assert _warned("/api/v1/namespaces/x/podtemplates", {"template": {"spec": spec}}) == [
        line.replace("spec.", "template.spec.") for line in said
    ]


def test_makers_of_pods_hear_of_names_that_are_no_hosts_and_reporters_of_odd_addresses() -> None:
    path = "/api/v1/namespaces/x/pods"
    (said,) = _warned(path, {"metadata": {"name": "a.b"}})
    assert said.startswith("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior")
    kind = kind_of_path(path)
    assert kind is not None
    old, new = ({"status": {"podIPs": [{"ip": ip}]}} for ip in ("10.0.0.1", "FD00::1"))
    before, after = (from_builtins(document, kind.type) for document in (old, new))
    assert strategy_of(kind).warnings(after, before) == [
        'status.podIPs[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'
    ]


@pytest.mark.parametrize(
    ("path", "document", "said"),
    [
        ("/apis/networking.k8s.io/v1/namespaces/x/networkpolicies",
         {"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.1/8", "except": ["FD00::/64"]}}]}]}},
         ['spec.egress[0].to[0].ipBlock.cidr: CIDR value "10.0.0.1/8" is ambiguous in this context '
          '(should be "10.0.0.0/8" or "10.0.0.1/32"?)',
          'spec.egress[0].to[0].ipBlock.except[0]: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format '
          '("fd00::/64")']),
        ("/apis/discovery.k8s.io/v1/namespaces/x/endpointslices",
         {"addressType": "FQDN", "endpoints": [{"addresses": ["a.example.com"]}]},
         ["spec.addressType: FQDN endpoints are deprecated"]),
        ("/apis/discovery.k8s.io/v1/namespaces/x/endpointslices",
         {"addressType": "IPv6", "endpoints": [{"addresses": ["FD00::1"]}]},
         ['endpoints[0].addresses[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")']),
        ("/apis/node.k8s.io/v1/runtimeclasses",
         {"handler": "h", "scheduling": {"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}},
         [f"scheduling.nodeSelector: {_OLD_ARCH}"]),
        ("/apis/storage.k8s.io/v1/storageclasses",
         {"allowedTopologies": [{"matchLabelExpressions": [{"key": "beta.kubernetes.io/arch", "values": ["a"]}]}]},
         [f"allowedTopologies[0].matchLabelExpressions[0].key: {_OLD_ARCH}"]),
        ("/apis/storage.k8s.io/v1/namespaces/x/csistoragecapacities",
         {"nodeTopology": {"matchLabels": {"beta.kubernetes.io/arch": "a"},
                           "matchExpressions": [{"key": "beta.kubernetes.io/arch", "operator": "Exists"}]}},
         [f"nodeTopology.matchExpressions[0].key: beta.kubernetes.io/arch is {_OLD_ARCH}",
          f"nodeTopology.matchLabels.beta.kubernetes.io/arch: {_OLD_ARCH}"]),
        ("/api/v1/namespaces/x/services", {"spec": {"clusterIP": "None", "loadBalancerIP": "10.0.0.1"}},
         ["spec.loadBalancerIP is ignored for headless services"]),
        ("/api/v1/namespaces/x/services", {"spec": {"type": "ClusterIP", "externalName": "a.example.com"}},
         ['spec.externalName is ignored when spec.type is not "ExternalName"']),
        ("/api/v1/namespaces/x/persistentvolumeclaims", {"spec": {"resources": {"requests": {"storage": "1m"}}}},
         ['spec.resources.requests[storage]: fractional byte value "1m" is invalid, must be an integer']),
        ("/api/v1/persistentvolumes", {"spec": {"persistentVolumeReclaimPolicy": "Recycle"}},
         ["spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
          "Instead, the recommended approach is to use dynamic provisioning."]),
        ("/apis/apps/v1/namespaces/x/statefulsets", {"spec": {"revisionHistoryLimit": -1}},
         ["spec.revisionHistoryLimit: a negative value retains all historical revisions; "
          "a value >= 0 is recommended"]),
    ],
)  # fmt: skip
def test_other_kinds(path: str, document: dict[str, Any], said: list[str]) -> None:
    assert _warned(path, document) == said


ENFORCED = "kubernetes.io/enforce-mountable-secrets"
NETWORKS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "services",
        {"spec": {"clusterIPs": ["FD00::1"], "loadBalancerSourceRanges": ["FD00::/8", "10.0.0.0/8"]}},
        [
            'spec.clusterIPs[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
            'spec.loadBalancerSourceRanges[0]: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format '
            '("fd00::/8")',
        ],
    ),
    ("endpoints", {"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "FD00::1"}]}]}, [
        'subsets[0].addresses[1].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'
    ]),
    ("nodes", {"spec": {"externalID": "x"}}, [
        "spec.externalID: this field is deprecated, and is unused by Kubernetes"
    ]),
    ("serviceaccounts", {"metadata": {"annotations": {ENFORCED: "true"}}}, [
        f"metadata.annotations[{ENFORCED}]: deprecated in v1.32+; "
        "prefer separate namespaces to isolate access to mounted secrets"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "document", "expected"), NETWORKS)
def test_networks_nodes_and_accounts(resource: str, document: dict[str, Any], expected: list[str]) -> None:
    where = "" if resource == "nodes" else "namespaces/x/"
    assert _warned(f"/api/v1/{where}{resource}", document) == expected


def test_who_reports_a_services_status_hears_of_its_addresses_alone() -> None:
    wished = {"metadata": {"name": "a"}, "spec": {"externalIPs": ["FD00::2"]}}
    status = {"loadBalancer": {"ingress": [{"hostname": "x"}, {"ip": "FD00::1"}]}}
    old, new = from_builtins(wished, Service), from_builtins({**wished, "status": status}, Service)
    assert strategy_of(kind_of(Service)).warnings(new, old) == [
        'status.loadBalancer.ingress[1]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'
    ]
