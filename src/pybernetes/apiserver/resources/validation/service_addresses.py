"""Rules for the ClusterIPs and IP families of Services: what fits together, and what may still change."""

from __future__ import annotations

import ipaddress

from pybernetes.api.ip_addresses import ip_address
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid
from pybernetes.api.types.core_v1 import ServiceSpec
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.texts import none_or_one_of, obeys, one_of

_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_ADDRESSES, _POLICY = "spec.clusterIPs", "spec.ipFamilyPolicy"
_ONCE = "may not change once set"


def validate_addresses(spec: ServiceSpec) -> list[FieldError]:
    """All complaints about addresses and families of addresses."""
    if spec.type == "ExternalName":
        return _validate_none(spec)
    errors = _validate_agreement(spec) + _validate_families(spec)
    problems: list[FieldError] = []
    if spec.cluster_ips[:1] == ["None"] and len(spec.cluster_ips) > 1:
        problems.append(invalid(_ADDRESSES, spec.cluster_ips, "'None' must be the first and only value"))
    for index, address in enumerate(spec.cluster_ips):
        if index or address != "None":
            problems += obeys(address, ip_address, f"{_ADDRESSES}[{index}]")
    errors += problems
    if len(spec.cluster_ips) > 2:
        errors.append(invalid(_ADDRESSES, spec.cluster_ips, "may only hold up to 2 values"))
    # What is no address would only be complained about in other words as well.
    return errors if problems else errors + _validate_pairs(spec)


def _validate_agreement(spec: ServiceSpec) -> list[FieldError]:
    if not spec.cluster_ips:
        return []
    if not spec.cluster_ip:
        return [invalid(_ADDRESSES, spec.cluster_ips, "must be empty when `clusterIP` is not specified")]
    if spec.cluster_ips[0] != spec.cluster_ip:
        return [invalid(_ADDRESSES, spec.cluster_ips, "first value must match `clusterIP`")]
    return []


def _validate_families(spec: ServiceSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(spec.ip_families)
    for index, family in enumerate(spec.ip_families):
        path = f"spec.ipFamilies[{index}]"
        errors += one_of(family, _FAMILIES, path)
        if index in again:
            errors.append(duplicate(path, family))
    return errors + none_or_one_of(spec.ip_family_policy or None, _FAMILY_POLICIES, _POLICY)


def _validate_pairs(spec: ServiceSpec) -> list[FieldError]:
    if spec.cluster_ips == ["None"]:
        return []
    errors = []
    actual = [f"IPv{ipaddress.ip_address(address).version}" for address in spec.cluster_ips]
    if len(actual) > 1 and len(set(actual)) < 2:
        errors.append(invalid(_ADDRESSES, spec.cluster_ips, "may specify no more than one IP for each IP family"))
    for index, (address, family) in enumerate(zip(spec.cluster_ips, spec.ip_families, strict=False)):
        if family in _FAMILIES and actual[index] != family:
            detail = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            errors.append(invalid(f"{_ADDRESSES}[{index}]", address, detail))
    return errors


def _validate_none(spec: ServiceSpec) -> list[FieldError]:
    detail = "may not be set for ExternalName services"
    given = (
        ("clusterIPs", spec.cluster_ips or spec.cluster_ip),
        ("ipFamilies", spec.ip_families),
        ("ipFamilyPolicy", spec.ip_family_policy),
    )
    return [forbidden_field(f"spec.{name}", detail) for name, value in given if value]


def validate_address_change(new: ServiceSpec, old: ServiceSpec) -> list[FieldError]:
    """Addresses and families once given stay; a second one may come, and go with the policy `SingleStack`."""
    if "ExternalName" in (new.type, old.type):
        return []
    was_headless, headless = old.cluster_ips == ["None"], new.cluster_ips == ["None"]
    errors = [] if was_headless and headless else _validate_kept_addresses(new, old)
    return errors if was_headless or headless else errors + _validate_kept_families(new, old)


def _validate_kept_addresses(new: ServiceSpec, old: ServiceSpec) -> list[FieldError]:
    before, after = old.cluster_ips, new.cluster_ips
    if before and not after:
        return [invalid(f"{_ADDRESSES}[0]", after, "primary clusterIP can not be unset")]
    pairs = list(zip(before, after, strict=False))
    if len(before) != len(after):
        pairs = pairs[:1]
    errors = [invalid(f"{_ADDRESSES}[{i}]", after, _ONCE) for i, (was, now) in enumerate(pairs) if was != now]
    return errors + _validate_release(new, len(before), len(after), "clusterIP")


def _validate_kept_families(new: ServiceSpec, old: ServiceSpec) -> list[FieldError]:
    before, after = old.ip_families, new.ip_families
    same = len(before) == len(after)
    pairs = zip(before if same else before[:1], after, strict=False)
    shown = after if same else new.cluster_ips
    errors = [invalid("spec.ipFamilies[0]", shown, _ONCE) for was, now in pairs if was != now]
    return errors + _validate_release(new, len(before), len(after), "ipFamily")


def _validate_release(new: ServiceSpec, before: int, after: int, what: str) -> list[FieldError]:
    if not (before > after == 1) or new.ip_family_policy == "SingleStack":
        return []
    detail = f"must be set to 'SingleStack' when releasing the secondary {what}"
    return [invalid(_POLICY, new.ip_family_policy, detail)]
