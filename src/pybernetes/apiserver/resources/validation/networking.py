"""Rules for NetworkPolicies, ServiceCIDRs and IPAddresses."""

from __future__ import annotations

import ipaddress

from pybernetes.api.ip_addresses import canonical_cidr, cidr, is_cidr
from pybernetes.api.names import dns1123_subdomain, path_segment_name, port_number
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types.networking_v1 import (
    IPAddress,
    IPBlock,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    ServiceCIDR,
)
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, immutable
from pybernetes.apiserver.resources.validation.ports import named_port
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import (
    each_obeys,
    each_one_of,
    empty_or_obeys,
    none_or_one_of,
    obeys,
)

_PROTOCOLS = ("TCP", "UDP", "SCTP")


def validate_network_policy(policy: NetworkPolicy) -> list[FieldError]:
    spec = policy.spec
    errors = validate_selector(spec.pod_selector, "spec.podSelector")
    rules = [(f"spec.ingress[{index}]", rule.ports, "from", rule.from_) for index, rule in enumerate(spec.ingress)]
    rules += [(f"spec.egress[{index}]", rule.ports, "to", rule.to) for index, rule in enumerate(spec.egress)]
    for path, ports, name, peers in rules:
        errors += _validate_ports(ports, path) + _validate_peers(peers, f"{path}.{name}")
    if len(spec.policy_types) > 2:
        detail = "may not specify more than two policyTypes"
        return [*errors, invalid("spec.policyTypes", spec.policy_types, detail)]
    return errors + each_one_of(spec.policy_types, ("Ingress", "Egress"), "spec.policyTypes")


def _validate_ports(ports: list[NetworkPolicyPort], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, port in enumerate(ports):
        where = f"{path}.ports[{index}]"
        errors += none_or_one_of(port.protocol, _PROTOCOLS, f"{where}.protocol")
        if port.end_port is not None and not isinstance(port.port, int):
            what = "not specified" if port.port is None else "non-numeric"
            detail = f"may not be specified when `port` is {what}"
            errors.append(invalid(f"{where}.endPort", port.end_port, detail))
        if port.port is not None:
            errors += named_port(port.port, f"{where}.port")
        if port.end_port is not None and isinstance(port.port, int):
            errors += _validate_end(port.port, port.end_port, f"{where}.endPort")
    return errors


def _validate_end(first: int, last: int, path: str) -> list[FieldError]:
    """The last port of a range; of one that ends before it begins upstream shows the first."""
    errors = [invalid(path, first, "must be greater than or equal to `port`")] if last < first else []
    return errors + obeys(last, port_number, path)


def _validate_peers(peers: list[NetworkPolicyPeer], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, peer in enumerate(peers):
        where = f"{path}[{index}]"
        selects = False
        for name, selector in (("podSelector", peer.pod_selector), ("namespaceSelector", peer.namespace_selector)):
            if selector is not None:
                selects = True
                errors += validate_selector(selector, f"{where}.{name}")
        if peer.ip_block is not None:
            errors += _validate_block(peer.ip_block, f"{where}.ipBlock")
        if not selects and peer.ip_block is None:
            errors.append(required(where, "must specify a peer"))
        elif selects and peer.ip_block is not None:
            errors.append(forbidden_field(where, "may not specify both ipBlock and another peer"))
    return errors


def _validate_block(block: IPBlock, path: str) -> list[FieldError]:
    if not block.cidr:
        return [required(f"{path}.cidr")]
    problems = cidr(block.cidr)
    if problems:
        return [invalid(f"{path}.cidr", block.cidr, text) for text in problems]
    errors: list[FieldError] = []
    whole = ipaddress.ip_network(block.cidr, strict=False)
    for index, text in enumerate(block.except_):
        where = f"{path}.except[{index}]"
        texts = cidr(text)
        errors += [invalid(where, text, problem) for problem in texts]
        if texts:
            continue
        part = ipaddress.ip_network(text, strict=False)
        inside = part.version == whole.version and part.network_address in whole
        if not inside or part.prefixlen <= whole.prefixlen:
            errors.append(invalid(where, text, "must be a strict subset of `cidr`"))
    return errors


def validate_service_cidr(service_cidr: ServiceCIDR) -> list[FieldError]:
    path, texts = "spec.cidrs", service_cidr.spec.cidrs
    if not texts:
        return [required(path, "at least one CIDR required")]
    if len(texts) > 2:
        return [invalid(path, {"CIDRs": texts}, "may only hold up to 2 values")]
    if len(texts) == 2 and not _are_of_both_families(texts):
        detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        return [invalid(path, {"CIDRs": texts}, detail)]
    return each_obeys(texts, canonical_cidr, path)


def _are_of_both_families(texts: list[str]) -> bool:
    return all(map(is_cidr, texts)) and len({":" in text for text in texts}) == 2


def validate_service_cidr_update(new: ServiceCIDR, old: ServiceCIDR) -> list[FieldError]:
    """Ranges stay; one of the other family may be added to a single one."""
    before, after, path = old.spec.cidrs, new.spec.cidrs, "spec.cidrs"
    adds = len(before) == 1 and len(after) == 2
    if len(before) != len(after) and not adds:
        return [invalid(path, after, IMMUTABLE)]
    pairs = enumerate(zip(before, after, strict=False))
    errors = [invalid(f"{path}[{index}]", now, IMMUTABLE) for index, (was, now) in pairs if was != now]
    return errors + (validate_service_cidr(new) if adds else [])


def validate_ip_address(address: IPAddress) -> list[FieldError]:
    """An address belongs to somebody."""
    parent, path = address.spec.parent_ref, "spec.parentRef"
    if parent is None:
        return [required(path)]
    errors = empty_or_obeys(parent.group, dns1123_subdomain, f"{path}.group")
    for name, value, needed in (
        ("resource", parent.resource, True),
        ("name", parent.name, True),
        ("namespace", parent.namespace, False),
    ):
        if value:
            errors += obeys(value, path_segment_name, f"{path}.{name}")
        elif needed:
            errors.append(required(f"{path}.{name}"))
    return errors


def validate_ip_address_update(new: IPAddress, old: IPAddress) -> list[FieldError]:
    return immutable(new.spec.parent_ref, old.spec.parent_ref, "spec.parentRef")
