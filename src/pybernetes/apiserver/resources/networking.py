"""Strategies of networking.k8s.io: Ingress, IngressClass, NetworkPolicy, IPAddress, ServiceCIDR."""

from __future__ import annotations

from pybernetes.api.types.networking_v1 import IngressClass, NetworkPolicy
from pybernetes.apiserver.resources.prepare import (
    clear_status_and_count,
    count_spec_changes,
    first_generation,
    keep_generation,
    keep_status_and_count,
    only_status,
    only_status_and_its_metadata,
)
from pybernetes.apiserver.resources.strategy import Strategy


def _default_network_policy(policy: NetworkPolicy) -> None:
    """Without types of its own a policy is for ingress, and for egress when it has egress rules."""
    ports = [port for ingress in policy.spec.ingress for port in ingress.ports]
    ports += [port for egress in policy.spec.egress for port in egress.ports]
    for port in ports:
        port.protocol = port.protocol or "TCP"
    if not policy.spec.policy_types:
        policy.spec.policy_types = ["Ingress", "Egress"] if policy.spec.egress else ["Ingress"]


def _default_ingress_class(ingress_class: IngressClass) -> None:
    parameters = ingress_class.spec.parameters
    if parameters is not None:
        parameters.scope = parameters.scope or "Cluster"


INGRESS = Strategy(
    prepare_create=clear_status_and_count, prepare_update=keep_status_and_count, prepare_status=only_status
)
INGRESS_CLASS = Strategy(
    default=_default_ingress_class, prepare_create=first_generation, prepare_update=count_spec_changes
)
NETWORK_POLICY = Strategy(
    default=_default_network_policy, prepare_create=first_generation, prepare_update=count_spec_changes
)
IP_ADDRESS = Strategy(prepare_update=keep_generation)
# Who may write a range may say of it what its status says.
SERVICE_CIDR = Strategy(prepare_update=keep_generation, prepare_status=only_status_and_its_metadata)
