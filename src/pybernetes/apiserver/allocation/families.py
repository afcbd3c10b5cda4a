"""Which IP families a Service has, as it says itself, as it had, and as the cluster can give. Pure.

Fills the fields of a Service that is about to be stored, in upstream's order; what is impossible comes back as errors.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pybernetes.api.status import FieldError, invalid
from pybernetes.api.types.core_v1 import Service, ServiceSpec
from pybernetes.apiserver.allocation.ranges import family_of
from pybernetes.apiserver.resources.service import same_addresses
from pybernetes.apiserver.resources.validation.service_addresses import validate_addresses

_HEADLESS = "None"
_SINGLE, _PREFER, _REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
_POLICY = "spec.ipFamilyPolicy"


def is_headless(spec: ServiceSpec) -> bool:
    """Whether a Service does without an address."""
    return spec.cluster_ip == _HEADLESS or spec.cluster_ips[:1] == [_HEADLESS]


def keeps_its_stacks(new: ServiceSpec, old: ServiceSpec | None) -> bool:
    """Whether a Service that prefers two families is left with those it has, whatever the cluster has by now."""
    return (
        old is not None
        and new.type == old.type
        and new.ip_family_policy == old.ip_family_policy == _PREFER
        and new.cluster_ips == old.cluster_ips
        and new.ip_families == old.ip_families
    )


def fill_families(service: Service, old: Service | None, configured: Sequence[str]) -> list[FieldError]:
    """Sets `ipFamilyPolicy` and `ipFamilies`; `configured` are the cluster's families, the default one first."""
    spec, before = service.spec, old.spec if old is not None else None
    same_addresses(spec)
    if keeps_its_stacks(spec, before):
        return []
    spec.ip_family_policy = spec.ip_family_policy or _default_policy(spec, before)
    if errors := validate_addresses(spec):
        return errors
    errors = _follow_policy(spec, before) if before is not None else []
    errors += _contradictions(spec) + _infer(spec, configured)
    if errors:
        return errors
    if is_headless(spec) and not spec.selector:
        # Endpoints of any family may be put behind it by hand, also where the cluster has only one.
        _add_second(spec, [*configured, _OTHER[configured[0]]])
        return []
    if errors := _missing(spec, configured):
        return errors
    _add_second(spec, configured)
    return []


def _default_policy(spec: ServiceSpec, before: ServiceSpec | None) -> str:
    if before is not None and before.ip_family_policy:
        return before.ip_family_policy
    return _REQUIRE if is_headless(spec) and not spec.selector else _SINGLE


def _follow_policy(spec: ServiceSpec, before: ServiceSpec) -> list[FieldError]:
    """A change to a single stack drops the second of what was not touched; to drop it otherwise is an error."""
    if spec.ip_family_policy == _SINGLE:
        if spec.cluster_ips == before.cluster_ips:
            spec.cluster_ips = spec.cluster_ips[:1]
        if spec.ip_families == before.ip_families:
            spec.ip_families = spec.ip_families[:1]
        return []
    given = (
        (spec.cluster_ips, before.cluster_ips, "secondary cluster IP"),
        (spec.ip_families, before.ip_families, "secondary IP family"),
    )
    return [
        invalid(_POLICY, spec.ip_family_policy, f"must be 'SingleStack' to release the {what}")
        for now, then, what in given
        if now and len(now) < len(then)
    ]


def _contradictions(spec: ServiceSpec) -> list[FieldError]:
    if spec.ip_family_policy != _SINGLE:
        return []
    detail = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
    given = ((spec.cluster_ips, "cluster IPs"), (spec.ip_families, "IP families"))
    return [invalid(_POLICY, spec.ip_family_policy, detail.format(what)) for values, what in given if len(values) == 2]


def _infer(spec: ServiceSpec, configured: Sequence[str]) -> list[FieldError]:
    """The families of the addresses that a Service names without naming their families."""
    errors = []
    for index, address in enumerate(spec.cluster_ips):
        if address == _HEADLESS:
            break
        if index < len(spec.ip_families):
            continue
        family = family_of(ipaddress.ip_address(address))
        if family in configured:
            spec.ip_families = [*spec.ip_families, family]
        else:
            detail = f"{family} is not configured on this cluster"
            errors.append(invalid(f"spec.clusterIPs[{index}]", spec.cluster_ips, detail))
    return errors


def _missing(spec: ServiceSpec, configured: Sequence[str]) -> list[FieldError]:
    errors = []
    if spec.ip_family_policy == _REQUIRE and len(configured) < 2:
        detail = "this cluster is not configured for dual-stack services"
        errors.append(invalid(_POLICY, _REQUIRE, detail))
    return errors + [
        invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
        for index, family in enumerate(spec.ip_families)
        if family not in configured
    ]


def _add_second(spec: ServiceSpec, possible: Sequence[str]) -> None:
    families = spec.ip_families or [possible[0]]
    if spec.ip_family_policy != _SINGLE and len(families) == 1 and len(possible) > 1:
        families = [*families, _OTHER[families[0]]]
    spec.ip_families = families
