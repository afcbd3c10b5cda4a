"""The packet rules of Services: facts in, a `RuleSet` value out. Pure; `iptables` renders it, `proxy` carries it out.

Chain names, their hashes and the order of rules are upstream's, so that its debugging guides hold here too.
`service_rules` decides about one port, `combine` joins many: what has not changed need not be decided again.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network

from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.proxy.endpoints import Choice, Endpoint, choose, endpoints_of
from pybernetes.proxy.services import PortName, ProxiedPort, proxied_ports

MARK = "0x4000"
SERVICES = "KUBE-SERVICES"
NODE_PORTS = "KUBE-NODEPORTS"
EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"
MARK_MASQ = "KUBE-MARK-MASQ"

Rules = tuple[str, ...]
Chains = Mapping[str, Rules]


@dataclass(frozen=True)
class NodeFacts:
    """What the rules of a node depend on besides Services."""

    node_name: str
    node_ip: str = ""
    zone: str = ""
    # Pods' addresses: what does not come from there and goes to a Service's IP is masqueraded.
    cluster_cidr: str = ""
    masquerade_all: bool = False


@dataclass(frozen=True)
class ServiceRules:
    """What one port contributes: chains of its own (nat table), and rules for chains that all share."""

    nat_chains: Chains = field(default_factory=dict)
    nat_services: Rules = ()
    nat_node_ports: Rules = ()
    filter_services: Rules = ()
    filter_external: Rules = ()
    filter_firewall: Rules = ()
    filter_node_ports: Rules = ()


@dataclass(frozen=True)
class RuleSet:
    """The chains of the two tables; rules are iptables' words without the leading `-A CHAIN`."""

    nat: Chains
    filter: Chains

    def tables(self) -> Mapping[str, Chains]:
        return {"filter": self.filter, "nat": self.nat}


@cache
def chain(prefix: str, name: PortName, endpoint: str = "") -> str:
    """The name of a port's or an endpoint's chain: a hash, since iptables allows 28 characters."""
    digest = hashlib.sha256(f"{name}{name.protocol}{endpoint}".encode()).digest()
    return f"KUBE-{prefix}-{b32encode(digest).decode()[:16]}"


def decide(services: Iterable[Service], slices: Iterable[EndpointSlice], facts: NodeFacts) -> RuleSet:
    """The whole rule set of a node."""
    endpoints = endpoints_of(slices, facts.node_name)
    ports = [port for service in services for port in proxied_ports(service)]
    ports.sort(key=lambda port: port.name)
    decided = (service_rules(port, endpoints.get(port.name, ()), facts) for port in ports)
    return combine(decided)


def combine(decided: Iterable[ServiceRules]) -> RuleSet:
    """One rule set out of the contributions of all ports, in the order given."""
    parts = list(decided)
    nat: dict[str, Rules] = {
        SERVICES: (*(rule for part in parts for rule in part.nat_services), *_LAST_SERVICES),
        NODE_PORTS: tuple(rule for part in parts for rule in part.nat_node_ports),
        **_FIXED_NAT,
    }
    for part in parts:
        nat.update(part.nat_chains)
    filter_ = {
        SERVICES: tuple(rule for part in parts for rule in part.filter_services),
        EXTERNAL_SERVICES: tuple(rule for part in parts for rule in part.filter_external),
        PROXY_FIREWALL: tuple(rule for part in parts for rule in part.filter_firewall),
        NODE_PORTS: tuple(rule for part in parts for rule in part.filter_node_ports),
        **_FIXED_FILTER,
    }
    return RuleSet(nat, filter_)


def service_rules(port: ProxiedPort, endpoints: Sequence[Endpoint], facts: NodeFacts) -> ServiceRules:
    """What one port of a Service means on this node."""
    choice = choose(port, endpoints, facts.node_name, facts.zone)
    chains = _ChainNames(port.name)
    plan = _plan(port, choice, chains)
    return ServiceRules(
        nat_chains=_nat_chains(port, choice, plan, facts),
        nat_services=_nat_services(port, choice, plan),
        nat_node_ports=_nat_node_ports(port, choice, plan),
        filter_services=_filter_services(port, choice, plan),
        filter_external=_filter_external(port, choice, plan),
        filter_firewall=_filter_firewall(port, plan),
        filter_node_ports=_health_check(port),
    )


class _ChainNames:
    """The names of a port's chains."""

    def __init__(self, name: PortName) -> None:
        self.cluster = chain("SVC", name)
        self.local = chain("SVL", name)
        self.external = chain("EXT", name)
        self.firewall = chain("FW", name)


@dataclass(frozen=True)
class _Plan:
    """Which chains a port's traffic takes; empty where it takes none."""

    chains: _ChainNames
    internal: str
    external: str
    firewall: str
    # The chain of endpoints for traffic from outside, below `external`.
    external_policy: str


def _plan(port: ProxiedPort, choice: Choice, chains: _ChainNames) -> _Plan:
    internal = chains.local if port.internal_local else chains.cluster
    has_internal = bool(choice.local) if port.internal_local else choice.anywhere
    policy = chains.local if port.external_local else chains.cluster
    has_external = bool(choice.local) if port.external_local else choice.anywhere
    filtered = choice.anywhere and port.load_balancer_ips and port.source_ranges
    return _Plan(
        chains=chains,
        internal=internal if has_internal else "",
        external=chains.external if choice.anywhere and port.externally_accessible else "",
        firewall=chains.firewall if filtered else "",
        external_policy=policy if has_external else "",
    )


def comment(text: str) -> str:
    return f'-m comment --comment "{text}"'


def _to(port: ProxiedPort, address: str) -> str:
    protocol = port.name.protocol
    return f"-m {protocol} -p {protocol} -d {address} --dport {port.port}"


def _nat_services(port: ProxiedPort, choice: Choice, plan: _Plan) -> Rules:
    rules = []
    if plan.internal:
        rules.append(f"{comment(f'{port.name} cluster IP')} {_to(port, port.cluster_ip)} -j {plan.internal}")
    if choice.anywhere:
        rules += [
            f"{comment(f'{port.name} external IP')} {_to(port, address)} -j {plan.external}"
            for address in port.external_ips
        ]
        rules += [
            f"{comment(f'{port.name} loadbalancer IP')} {_to(port, address)} -j {plan.firewall or plan.external}"
            for address in port.load_balancer_ips
        ]
    return tuple(rules)


def _nat_node_ports(port: ProxiedPort, choice: Choice, plan: _Plan) -> Rules:
    if not port.node_port or not choice.anywhere:
        return ()
    protocol = port.name.protocol
    match = f"-m {protocol} -p {protocol} --dport {port.node_port}"
    return (f"{comment(str(port.name))} {match} -j {plan.external}",)


def _refusal(port: ProxiedPort, choice: Choice) -> tuple[str, str]:
    """(comment, target): without any endpoint clients are told so; with none here, the balancer is to notice."""
    if choice.anywhere:
        return comment(f"{port.name} has no local endpoints"), "DROP"
    return comment(f"{port.name} has no endpoints"), "REJECT"


def _filter_services(port: ProxiedPort, choice: Choice, plan: _Plan) -> Rules:
    if plan.internal:
        return ()
    why, target = _refusal(port, choice)
    return (f"{why} {_to(port, port.cluster_ip)} -j {target}",)


def _filter_external(port: ProxiedPort, choice: Choice, plan: _Plan) -> Rules:
    if plan.external_policy:
        return ()
    why, target = _refusal(port, choice)
    rules = [f"{why} {_to(port, address)} -j {target}" for address in (*port.external_ips, *port.load_balancer_ips)]
    if port.node_port:
        protocol = port.name.protocol
        match = f"-m addrtype --dst-type LOCAL -m {protocol} -p {protocol} --dport {port.node_port}"
        rules.append(f"{why} {match} -j {target}")
    return tuple(rules)


def _filter_firewall(port: ProxiedPort, plan: _Plan) -> Rules:
    """What the firewall chain has not let through was not translated, and so still has the balancer's address."""
    if not plan.firewall:
        return ()
    why = comment(f"{port.name} traffic not accepted by {plan.firewall}")
    return tuple(f"{why} {_to(port, address)} -j DROP" for address in port.load_balancer_ips)


def _health_check(port: ProxiedPort) -> Rules:
    if not port.health_check_node_port:
        return ()
    why = comment(f"{port.name} health check node port")
    return (f"{why} -m tcp -p tcp --dport {port.health_check_node_port} -j ACCEPT",)


def _nat_chains(port: ProxiedPort, choice: Choice, plan: _Plan, facts: NodeFacts) -> Chains:
    chains: dict[str, Rules] = {}
    if choice.cluster and port.uses_cluster_endpoints:
        chains[plan.chains.cluster] = _balance(port, choice.cluster)
    if choice.local and port.uses_local_endpoints:
        chains[plan.chains.local] = _balance(port, choice.local)
    if plan.internal:
        chains[plan.internal] = (*_masquerade_strangers(port, facts), *chains.get(plan.internal, ()))
    if plan.external:
        chains[plan.external] = _external_chain(port, plan, facts)
    if plan.firewall:
        chains[plan.firewall] = _firewall_chain(port, plan, facts)
    for endpoint in choice.reachable:
        chains[_endpoint_chain(port, endpoint)] = _endpoint_rules(port, endpoint)
    return chains


def _masquerade_strangers(port: ProxiedPort, facts: NodeFacts) -> Rules:
    """Who is no pod does not know the way back from an endpoint of another node."""
    match = f"{comment(f'{port.name} cluster IP')} {_to(port, port.cluster_ip)}"
    if facts.masquerade_all:
        return (f"{match} -j {MARK_MASQ}",)
    return (f"{match} ! -s {facts.cluster_cidr} -j {MARK_MASQ}",) if facts.cluster_cidr else ()


def _external_chain(port: ProxiedPort, plan: _Plan, facts: NodeFacts) -> Rules:
    destinations = f"{port.name} external destinations"
    rules: list[str] = []
    if not port.external_local:
        rules.append(f"{comment(f'masquerade traffic for {destinations}')} -j {MARK_MASQ}")
    else:
        if facts.cluster_cidr:
            why = comment(f"pod traffic for {destinations}")
            rules.append(f"{why} -s {facts.cluster_cidr} -j {plan.chains.cluster}")
        local = "-m addrtype --src-type LOCAL"
        rules.append(f"{comment(f'masquerade LOCAL traffic for {destinations}')} {local} -j {MARK_MASQ}")
        rules.append(f"{comment(f'route LOCAL traffic for {destinations}')} {local} -j {plan.chains.cluster}")
    if plan.external_policy:
        rules.append(f"-j {plan.external_policy}")
    return tuple(rules)


def _firewall_chain(port: ProxiedPort, plan: _Plan, facts: NodeFacts) -> Rules:
    why = comment(f"{port.name} loadbalancer IP")
    sources = list(port.source_ranges)
    if any(_contains(cidr, facts.node_ip) for cidr in port.source_ranges):
        # A node's own request to the balancer's address may come back with that address as its source.
        sources += port.load_balancer_ips
    rules = [f"{why} -s {source} -j {plan.external}" for source in sources]
    rules.append(comment(f"other traffic to {port.name} will be dropped by {PROXY_FIREWALL}"))
    return tuple(rules)


def _contains(cidr: str, address: str) -> bool:
    return bool(address) and IPv4Address(address) in IPv4Network(cidr, strict=False)


def _endpoint_chain(port: ProxiedPort, endpoint: Endpoint) -> str:
    return chain("SEP", port.name, str(endpoint))


def _balance(port: ProxiedPort, endpoints: Sequence[Endpoint]) -> Rules:
    """First clients that have been here before, then the dice: of n left, each gets its n-th part."""
    targets = [(comment(f"{port.name} -> {item}"), _endpoint_chain(port, item)) for item in endpoints]
    rules = []
    if port.affinity_seconds:
        seconds = f"--rcheck --seconds {port.affinity_seconds} --reap"
        rules += [f"{why} -m recent --name {target} {seconds} -j {target}" for why, target in targets]
    for index, (why, target) in enumerate(targets):
        left = len(targets) - index
        dice = f" -m statistic --mode random --probability {1 / left:.10f}" if left > 1 else ""
        rules.append(f"{why}{dice} -j {target}")
    return tuple(rules)


def _endpoint_rules(port: ProxiedPort, endpoint: Endpoint) -> Rules:
    why, protocol = comment(str(port.name)), port.name.protocol
    remember = f" -m recent --name {_endpoint_chain(port, endpoint)} --set" if port.affinity_seconds else ""
    return (
        # A pod that reaches itself through a Service would answer itself directly, which nobody expects.
        f"{why} -s {endpoint.ip} -j {MARK_MASQ}",
        f"{why}{remember} -m {protocol} -p {protocol} -j DNAT --to-destination {endpoint}",
    )


_LAST_SERVICES: Rules = (
    f"{comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')}"
    f" -m addrtype --dst-type LOCAL -j {NODE_PORTS}",
)
_FIXED_NAT: Chains = {
    "KUBE-POSTROUTING": (
        f"-m mark ! --mark {MARK}/{MARK} -j RETURN",
        # Off again, so that a packet that passes twice is not masqueraded twice.
        f"-j MARK --xor-mark {MARK}",
        f"{comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully",
    ),
    MARK_MASQ: (f"-j MARK --or-mark {MARK}",),
}
_FIXED_FILTER: Chains = {
    "KUBE-FORWARD": (
        "-m conntrack --ctstate INVALID -j DROP",
        f"{comment('kubernetes forwarding rules')} -m mark --mark {MARK}/{MARK} -j ACCEPT",
        f"{comment('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ),
    "KUBE-FIREWALL": (
        f"{comment('block incoming localnet connections')} -d 127.0.0.0/8 ! -s 127.0.0.0/8"
        " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
    ),
}
