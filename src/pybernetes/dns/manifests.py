"""Cluster DNS as an add-on: the objects that run it in `kube-system` behind the Service `kube-dns`.

An image and an address flow in, typed objects in the order in which they are to be created flow out. Pure.
"""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.apps_v1 import Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment
from pybernetes.api.types.core_v1 import (
    Affinity,
    Capabilities,
    Container,
    ContainerPort,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    NodeAffinity,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodSpec,
    PodTemplateSpec,
    PreferredSchedulingTerm,
    Probe,
    ResourceRequirements,
    SecurityContext,
    Service,
    ServiceAccount,
    ServicePort,
    ServiceSpec,
    SleepAction,
    Toleration,
)
from pybernetes.api.types.meta_v1 import LabelSelector, ObjectMeta
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject
from pybernetes.dns.options import DnsOptions

NAMESPACE = "kube-system"
NAME = "pybernetes-dns"
ROLE = "system:pybernetes-dns"
SERVICE = "kube-dns"
LABELS = {"k8s-app": "kube-dns"}
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_PORTS = DnsOptions()


def manifests(
    image: str, cluster_ip: str = "10.96.0.10", cluster_domain: str = "cluster.local", replicas: int = 1
) -> list[ApiObject]:
    """Everything that cluster DNS needs; `image` holds the `pyb` command."""
    metadata = ObjectMeta(name=NAME, namespace=NAMESPACE, labels=LABELS)
    spec = DeploymentSpec(
        replicas=replicas,
        selector=LabelSelector(match_labels=LABELS),
        # A replacement must answer before the old one goes.
        strategy=DeploymentStrategy(
            type="RollingUpdate", rolling_update=RollingUpdateDeployment(max_unavailable=0, max_surge=1)
        ),
        template=PodTemplateSpec(metadata=ObjectMeta(labels=LABELS), spec=_pod(image, cluster_domain)),
    )
    account = ServiceAccount(metadata=ObjectMeta(name=NAME, namespace=NAMESPACE))
    return [account, *_rights(), service(cluster_ip), Deployment(metadata=metadata, spec=spec)]


def service(cluster_ip: str) -> Service:
    """The Service that resolv.conf of pods points at."""
    labels = {**LABELS, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    annotations = {"prometheus.io/port": str(_PORTS.metrics_port), "prometheus.io/scrape": "true"}
    ports = [
        ServicePort(name="dns", port=53, protocol="UDP", target_port=53),
        ServicePort(name="dns-tcp", port=53, protocol="TCP", target_port=53),
        ServicePort(name="metrics", port=_PORTS.metrics_port, protocol="TCP", target_port=_PORTS.metrics_port),
    ]
    metadata = ObjectMeta(name=SERVICE, namespace=NAMESPACE, labels=labels, annotations=annotations)
    spec = ServiceSpec(cluster_ip=cluster_ip, cluster_ips=[cluster_ip], selector=LABELS, ports=ports)
    return Service(metadata=metadata, spec=spec)


def _rights() -> list[ApiObject]:
    rules = [
        PolicyRule(api_groups=[""], resources=["services", "namespaces"], verbs=["list", "watch"]),
        PolicyRule(api_groups=["discovery.k8s.io"], resources=["endpointslices"], verbs=["list", "watch"]),
    ]
    role = ClusterRole(metadata=ObjectMeta(name=ROLE), rules=rules)
    binding = ClusterRoleBinding(
        metadata=ObjectMeta(name=ROLE),
        role_ref=RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=ROLE),
        subjects=[Subject(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)],
    )
    return [role, binding]


def _pod(image: str, cluster_domain: str) -> PodSpec:
    control_plane = NodeSelectorRequirement(key=_CONTROL_PLANE, operator="Exists")
    near = PreferredSchedulingTerm(weight=100, preference=NodeSelectorTerm(match_expressions=[control_plane]))
    return PodSpec(
        service_account_name=NAME,
        priority_class_name="system-cluster-critical",
        # Its own resolv.conf is the node's: there the upstream resolvers are.
        dns_policy="Default",
        node_selector={"kubernetes.io/os": "linux"},
        tolerations=[
            Toleration(key="CriticalAddonsOnly", operator="Exists"),
            Toleration(key=_CONTROL_PLANE, effect="NoSchedule"),
        ],
        # Names should outlive workers.
        affinity=Affinity(node_affinity=NodeAffinity(preferred_during_scheduling_ignored_during_execution=[near])),
        containers=[_container(image, cluster_domain)],
    )


def _container(image: str, cluster_domain: str) -> Container:
    ports = [
        ContainerPort(name="dns", container_port=53, protocol="UDP"),
        ContainerPort(name="dns-tcp", container_port=53, protocol="TCP"),
        ContainerPort(name="metrics", container_port=_PORTS.metrics_port, protocol="TCP"),
    ]
    return Container(
        name="dns",
        image=image,
        image_pull_policy="IfNotPresent",
        command=["pyb", "dns"],
        args=["--cluster-domain", cluster_domain],
        ports=ports,
        resources=ResourceRequirements(requests={"cpu": "50m", "memory": "50Mi"}, limits={"memory": "170Mi"}),
        liveness_probe=Probe(
            http_get=HTTPGetAction(path="/health", port=_PORTS.health_port),
            initial_delay_seconds=30,
            timeout_seconds=5,
            failure_threshold=5,
        ),
        readiness_probe=Probe(http_get=HTTPGetAction(path="/ready", port=_PORTS.ready_port), period_seconds=2),
        # Until every node knows that it goes, it still answers.
        lifecycle=Lifecycle(pre_stop=LifecycleHandler(sleep=SleepAction(seconds=3))),
        security_context=SecurityContext(
            allow_privilege_escalation=False,
            capabilities=Capabilities(add=["NET_BIND_SERVICE"], drop=["ALL"]),
            read_only_root_filesystem=True,
        ),
    )
