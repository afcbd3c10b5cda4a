"""Which names a CustomResourceDefinition may have next to the others of its group, and its status after that. Pure.

A definition, the others and the time go in; the new status comes out. Called by `definitions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from pybernetes.api.objects import copy
from pybernetes.api.types.apiextensions_v1 import (
    CustomResourceDefinition,
    CustomResourceDefinitionCondition,
    CustomResourceDefinitionNames,
    CustomResourceDefinitionStatus,
)

APPROVAL = "api-approved.kubernetes.io"
APPROVAL_URL = "https://github.com/kubernetes/enhancements/pull/1111"
_APPROVED_GROUPS = ("k8s.io", "kubernetes.io")


def status_of(
    definition: CustomResourceDefinition, others: Iterable[CustomResourceDefinition], now: str
) -> CustomResourceDefinitionStatus:
    """The status that a definition should have; `now` is the time of conditions that change."""
    result = copy(definition.status)
    accepted, problem = _accepted(definition, others)
    result.accepted_names = accepted
    if (approval := _approval(definition)) is not None:
        set_condition(result, approval, now)
    set_condition(result, problem or _condition("NamesAccepted", True, "NoConflicts", "no conflicts found"), now)
    if not _is_established(result):
        message = "the initial names have been accepted" if problem is None else "not all names are accepted"
        reason = "InitialNamesAccepted" if problem is None else "NotAccepted"
        set_condition(result, _condition("Established", problem is None, reason, message), now)
    return result


def set_condition(status: CustomResourceDefinitionStatus, wanted: CustomResourceDefinitionCondition, now: str) -> None:
    """Adds or replaces a condition; its time changes with its status only."""
    for index, old in enumerate(status.conditions):
        if old.type == wanted.type:
            wanted.last_transition_time = old.last_transition_time if old.status == wanted.status else now
            status.conditions[index] = wanted
            return
    wanted.last_transition_time = now
    status.conditions.append(wanted)


def mark_terminating(definition: CustomResourceDefinition, now: str) -> None:
    """What a request to delete a definition leaves in its status."""
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    set_condition(definition.status, _condition("Terminating", True, "InstanceDeletionPending", message), now)


def terminating(in_progress: bool, reason: str, message: str) -> CustomResourceDefinitionCondition:
    return _condition("Terminating", in_progress, reason, message)


def cleaned_up(definition: CustomResourceDefinition, *, overlaps: bool) -> CustomResourceDefinitionCondition:
    """What is told when no objects keep a definition any more; `overlaps` says that they are a built-in resource's."""
    if overlaps:
        return terminating(False, "OverlappingBuiltInResource", "instances overlap with built-in resources in storage")
    if not _is_established(definition.status):
        return terminating(False, "NeverEstablished", "resource was never established")
    return terminating(False, "InstanceDeletionCompleted", "removed all instances")


def _is_established(status: CustomResourceDefinitionStatus) -> bool:
    return any(item.type == "Established" and item.status == "True" for item in status.conditions)


def _condition(type_: str, value: bool, reason: str, message: str) -> CustomResourceDefinitionCondition:
    return CustomResourceDefinitionCondition(type=type_, status=str(value), reason=reason, message=message)


def _accepted(
    definition: CustomResourceDefinition, others: Iterable[CustomResourceDefinition]
) -> tuple[CustomResourceDefinitionNames, CustomResourceDefinitionCondition | None]:
    """The names that are free, and the condition that tells of the last one that is not."""
    wanted, held = definition.spec.names, copy(definition.status.accepted_names)
    resources, kinds = _taken(definition, others)
    problem = None
    for attribute, taken, reason in (
        ("plural", resources, "PluralConflict"),
        ("singular", resources, "SingularConflict"),
        ("short_names", resources, "ShortNamesConflict"),
        ("kind", kinds, "KindConflict"),
        ("list_kind", kinds, "ListKindConflict"),
    ):
        names, before = _all(getattr(wanted, attribute)), _all(getattr(held, attribute))
        conflicts = [f'"{name}" is already in use' for name in names if name in taken and name not in before]
        if conflicts:
            message = ", ".join(conflicts)
            problem = _condition("NamesAccepted", False, reason, f"[{message}]" if len(conflicts) > 1 else message)
        else:
            setattr(held, attribute, copy(getattr(wanted, attribute)))
    held.categories = list(wanted.categories)
    return held, problem


def _all(names: str | list[str] | None) -> list[str]:
    return names if isinstance(names, list) else [names or ""]


def _taken(
    definition: CustomResourceDefinition, others: Iterable[CustomResourceDefinition]
) -> tuple[set[str], set[str]]:
    """The names of resources and of kinds that other definitions of the group hold."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if other.spec.group != definition.spec.group or other.metadata.name == definition.metadata.name:
            continue
        names = other.status.accepted_names
        resources |= {name for name in (names.plural, names.singular, *names.short_names) if name}
        kinds |= {name for name in (names.kind, names.list_kind) if name}
    return resources, kinds


def is_protected(group: str) -> bool:
    """Whether a group belongs to the Kubernetes community, whose review its definitions need."""
    return any(group == name or group.endswith(f".{name}") for name in _APPROVED_GROUPS)


class Approval(NamedTuple):
    """What a definition says of being approved, as the condition and errors tell it."""

    reason: str
    message: str

    @property
    def is_conformant(self) -> bool:
        """Whether a definition may be made with it: approved, or plainly not."""
        return self.reason in ("ApprovedAnnotation", "UnapprovedAnnotation")


def approval_of(definition: CustomResourceDefinition) -> Approval:
    """What the annotation of a definition says."""
    said = definition.metadata.annotations.get(APPROVAL, "")
    if said.startswith("unapproved"):
        return Approval("UnapprovedAnnotation", f'not approved: "{said}"')
    parts = urlsplit(said)
    if parts.scheme and parts.netloc:
        return Approval("ApprovedAnnotation", f"approved in {said}")
    what = "" if not said else ' with either a URL or a reason starting with "unapproved"'
    text = f'protected groups must have approval annotation "{APPROVAL}"{what}, see {APPROVAL_URL}'
    return Approval("InvalidAnnotation" if said else "MissingAnnotation", text)


def _approval(definition: CustomResourceDefinition) -> CustomResourceDefinitionCondition | None:
    if not is_protected(definition.spec.group):
        return None
    found = approval_of(definition)
    is_approved = found.reason == "ApprovedAnnotation"
    return _condition("KubernetesAPIApprovalPolicyConformant", is_approved, found.reason, found.message)
