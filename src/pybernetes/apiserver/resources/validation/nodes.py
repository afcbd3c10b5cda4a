"""Rules for Nodes: what they report, and what of their spec is said once and for all."""

from __future__ import annotations

from pybernetes.api.ip_addresses import cidr, is_cidr
from pybernetes.api.names import label_value
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid
from pybernetes.api.types.core_v1 import Node, Taint
from pybernetes.apiserver.resources.validation.lists import no_twins, repeated
from pybernetes.apiserver.resources.validation.metadata import label_key
from pybernetes.apiserver.resources.validation.node_annotations import validate_node_annotations
from pybernetes.apiserver.resources.validation.numbers import NOT_POSITIVE, quantity_of
from pybernetes.apiserver.resources.validation.texts import each_obeys, obeys, required_one_of

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SET_ONCE = 'node updates may not change {} except from "" to valid'
_UNREADABLE = (
    'invalid PodCIDRs. failed to check with dual stack with error:failed to parse cidr value:"{0}" with '
    "error:invalid CIDR address: {0}"
)


def validate_node(node: Node) -> list[FieldError]:
    errors = validate_node_annotations(node.metadata.annotations, _validate_taints)
    errors += _validate_taints(node.spec.taints, "metadata.taints")
    errors += _validate_amounts(node)
    swap = node.status.node_info.swap
    if swap is not None and swap.capacity is not None and swap.capacity <= 0:
        errors.append(invalid("metadata.nodeSwapStatus.capacity", swap.capacity, NOT_POSITIVE))
    return errors + _validate_ranges(node.spec.pod_cidrs)


def _validate_amounts(node: Node) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, amounts in (("capacity", node.status.capacity), ("allocatable", node.status.allocatable)):
        for resource, quantity in amounts.items():
            errors += quantity_of(resource, quantity, f"status.{name}.{resource}")
    return errors


def _validate_taints(taints: list[Taint], where: str) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated((taint.key, taint.effect) for taint in taints)
    for index, taint in enumerate(taints):
        path = f"{where}[{index}]"
        errors += obeys(taint.key, label_key, f"{path}.key")
        if texts := label_value(taint.value or ""):
            errors.append(invalid(f"{path}.value", taint.value, ";".join(texts)))
        errors += required_one_of(taint.effect, _EFFECTS, f"{path}.effect")
        if index in again:
            shown = {"Key": taint.key, "Value": taint.value or "", "Effect": taint.effect, "TimeAdded": None}
            double = duplicate(path, shown)
            errors.append(FieldError(double.type, path, "taints must be unique by key and effect pair", shown))
    return errors


def _validate_ranges(ranges: list[str]) -> list[FieldError]:
    errors = each_obeys(ranges, cidr, "spec.podCIDRs")
    if len(ranges) > 1:
        bad = next((text for text in ranges if not is_cidr(text)), None)
        if bad is not None:
            errors.append(FieldError("InternalError", "spec.podCIDRs", _UNREADABLE.format(bad)))
        if bad is not None or len(ranges) > 2 or len({":" in text for text in ranges}) < 2:
            detail = "may specify no more than one CIDR for each IP family"
            errors.append(invalid("spec.podCIDRs", ranges, detail))
        errors += no_twins(ranges, "spec.podCIDRs")
    return errors


def validate_node_update(new: Node, old: Node) -> list[FieldError]:
    errors = (
        validate_node(new)
        if new.spec != old.spec
        else validate_node_annotations(new.metadata.annotations, _validate_taints)
    )
    return errors + _validate_change(new, old)


def validate_node_status(new: Node, old: Node) -> list[FieldError]:
    """Kubelets report often and mostly the same: what is as before has been looked at."""
    errors = validate_node_annotations(new.metadata.annotations, _validate_taints)
    return errors + _validate_change(new, old) if new.status != old.status else errors


def _validate_change(new: Node, old: Node) -> list[FieldError]:
    """What updates of the node and of its status obey alike."""
    errors = _validate_amounts(new) if new.status != old.status else []
    addresses = [(address.type, address.address) for address in new.status.addresses]
    for index in sorted(repeated(addresses)):
        shown = dict(zip(("Type", "Address"), addresses[index], strict=True))
        errors.append(duplicate(f"status.addresses[{index}]", shown))
    spec, before = new.spec, old.spec
    if before.pod_cidrs:
        pairs = list(zip(before.pod_cidrs, spec.pod_cidrs, strict=False))
        same_number = len(before.pod_cidrs) == len(spec.pod_cidrs)
        changes = sum(was != now for was, now in pairs) if same_number else 1
        errors += [forbidden_field("spec.podCIDRs", _SET_ONCE.format("podCIDR"))] * changes
    if before.provider_id and spec.provider_id != before.provider_id:
        errors.append(forbidden_field("spec.providerID", _SET_ONCE.format("providerID")))
    if spec.taints != before.taints:
        errors += _validate_taints(spec.taints, "metadata.taints")
    if (spec.external_id or "") != (before.external_id or ""):
        errors.append(forbidden_field("spec.externalID", "may not be updated"))
    return errors
