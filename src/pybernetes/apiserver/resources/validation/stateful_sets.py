"""Rules for StatefulSets: their policies, the claims that they make, and pods that mount those claims by name.

What could not be told when it was stored does not keep it from being changed: names of services and claims stay as
they are, and a template is left alone where the stored one breaks a rule.
"""

from __future__ import annotations

import msgspec

from pybernetes.api.names import dns1123_label
from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, forbidden_field, invalid
from pybernetes.api.types.apps_v1 import RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec
from pybernetes.api.types.core_v1 import PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Volume
from pybernetes.apiserver.resources.validation.claims import validate_claim_spec
from pybernetes.apiserver.resources.validation.numbers import at_most_all, int_or_percent, is_zero, not_negative
from pybernetes.apiserver.resources.validation.texts import empty_or_obeys, one_of
from pybernetes.apiserver.resources.validation.workloads import validate_pods

_CHANGING = (
    "replicas",
    "ordinals",
    "template",
    "update_strategy",
    "revision_history_limit",
    "persistent_volume_claim_retention_policy",
    "min_ready_seconds",
)
_ONLY_THESE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def validate_stateful_set(stateful_set: StatefulSet) -> list[FieldError]:
    spec = stateful_set.spec
    errors = _validate_policies(spec)
    for index, claim in enumerate(spec.volume_claim_templates):
        errors += validate_claim_spec(claim.spec, f"spec.volumeClaimTemplates[{index}].spec")
    errors += _validate_numbers(spec)
    errors += empty_or_obeys(spec.service_name, dns1123_label, "spec.serviceName")
    return errors + _validate_template(spec)


def validate_stateful_set_update(new: StatefulSet, old: StatefulSet) -> list[FieldError]:
    errors = _validate_policies(new.spec) + _validate_numbers(new.spec)
    if _validate_policies(old.spec) + _validate_numbers(old.spec) + _validate_template(old.spec):
        errors += _validate_template(new.spec, whole=False)
    else:
        errors += _validate_template(new.spec)
    spec = copy(new.spec)
    for name in _CHANGING:
        setattr(spec, name, getattr(old.spec, name))
    if spec != old.spec:
        errors.append(forbidden_field("spec", _ONLY_THESE))
    return errors


def _validate_template(spec: StatefulSetSpec, *, whole: bool = True) -> list[FieldError]:
    return validate_pods(_with_claims(spec), spec.selector, "StatefulSet", "statefulset", "", whole=whole)


def _with_claims(spec: StatefulSetSpec) -> PodTemplateSpec:
    """The template as pods are made of it: with the claims among its volumes, in place of those of the same name."""
    names = dict.fromkeys(claim.metadata.name or "" for claim in spec.volume_claim_templates)
    if not names:
        return spec.template
    volumes = [
        Volume(name=name, persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name=name)) for name in names
    ]
    volumes += [volume for volume in spec.template.spec.volumes if volume.name not in names]
    pod: PodSpec = msgspec.structs.replace(spec.template.spec, volumes=volumes)
    return msgspec.structs.replace(spec.template, spec=pod)


def _validate_numbers(spec: StatefulSetSpec) -> list[FieldError]:
    errors = not_negative(spec.replicas, "spec.replicas")
    errors += not_negative(spec.min_ready_seconds, "spec.minReadySeconds")
    if spec.ordinals is not None:
        errors += not_negative(spec.ordinals.start, "spec.ordinals.start")
    return errors


def _validate_policies(spec: StatefulSetSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.pod_management_policy not in ("OrderedReady", "Parallel"):
        detail = "must be 'OrderedReady' or 'Parallel'"
        errors.append(invalid("spec.podManagementPolicy", spec.pod_management_policy, detail))
    strategy = spec.update_strategy
    rolling = strategy.rolling_update
    if strategy.type == "OnDelete":
        if rolling is not None:
            detail = "only allowed for updateStrategy 'RollingUpdate'"
            shown = {"Partition": rolling.partition, "MaxUnavailable": rolling.max_unavailable}
            errors.append(invalid("spec.updateStrategy.rollingUpdate", shown, detail))
    elif strategy.type != "RollingUpdate":
        detail = "must be 'RollingUpdate' or 'OnDelete'"
        errors.append(invalid("spec.updateStrategy", {"Type": strategy.type, "RollingUpdate": None}, detail))
    elif rolling is not None:
        errors += _validate_rolling(rolling, "spec.updateStrategy.rollingUpdate")
    retention = spec.persistent_volume_claim_retention_policy
    if retention is not None:
        for name, policy in (("whenDeleted", retention.when_deleted), ("whenScaled", retention.when_scaled)):
            errors += one_of(policy, ("Retain", "Delete"), f"spec.persistentVolumeClaimRetentionPolicy.{name}")
    return errors


def _validate_rolling(rolling: RollingUpdateStatefulSetStrategy, path: str) -> list[FieldError]:
    errors = not_negative(rolling.partition, f"{path}.partition")
    most, where = rolling.max_unavailable, f"{path}.maxUnavailable"
    if most is None:
        return errors
    errors += int_or_percent(most, where)
    if is_zero(most):
        errors.append(invalid(where, most, "cannot be 0"))
    return errors + at_most_all(most, where)
