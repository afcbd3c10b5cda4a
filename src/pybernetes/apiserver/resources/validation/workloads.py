"""Rules for the kinds that keep pods running."""

from __future__ import annotations

from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.apps_v1 import (
    ControllerRevision,
    DaemonSet,
    DaemonSetSpec,
    Deployment,
    DeploymentSpec,
    ReplicaSet,
    RollingUpdateDaemonSet,
)
from pybernetes.api.types.core_v1 import PodTemplate, PodTemplateSpec, ReplicationController
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.apiserver.resources.validation.metadata import (
    immutable,
    validate_annotations,
    validate_labels,
)
from pybernetes.apiserver.resources.validation.numbers import (
    at_most_all,
    int_or_percent,
    is_zero,
    not_negative,
)
from pybernetes.apiserver.resources.validation.pod_annotations import validate_pod_annotations
from pybernetes.apiserver.resources.validation.pod_spec import validate_template
from pybernetes.apiserver.resources.validation.selectors import finds, same_selector, shown_selector, validate_selector
from pybernetes.apiserver.resources.validation.texts import one_of

_UNSOUND = "invalid label selector"


def validate_pods(
    template: PodTemplateSpec,
    selector: LabelSelector | None,
    owner: str,
    called: str,
    unsound: str,
    *,
    whole: bool = True,
) -> list[FieldError]:
    """A selector, and the template of the pods that it finds.

    Messages call the kind `owner` and `called`, and say `unsound` of a selector that cannot be read, whose template is
    left alone. Of a template that is not to be judged as a `whole` the spec is left alone.
    """
    path, problems = "spec.selector", validate_selector(selector, "spec.selector")
    errors = problems[:] if selector is not None else [required(path)]
    if selector is not None and not selector.match_labels and not selector.match_expressions:
        errors.append(invalid(path, {}, f"empty selector is invalid for {called}"))
    if not problems:
        return errors + _validate_own_template(template, selector, "spec.template", owner, whole=whole)
    errors.append(invalid(path, shown_selector(selector), unsound))
    return errors + (_validate_lifetime(template, "spec.template", owner) if owner == "StatefulSet" else [])


def _validate_own_template(
    template: PodTemplateSpec, selector: LabelSelector | None, path: str, owner: str, *, whole: bool = True
) -> list[FieldError]:
    """A template whose pods run for ever and are found by the selector; `owner` is how messages call the kind."""
    errors = finds(selector, template.metadata.labels, f"{path}.metadata.labels")
    if whole:
        errors += validate_template(template, path)
    else:
        errors += validate_labels(template.metadata.labels, f"{path}.labels")
        errors += validate_annotations(template.metadata.annotations, f"{path}.annotations")
        errors += validate_pod_annotations(template.metadata.annotations, template.spec, f"{path}.annotations")
    return errors + _validate_lifetime(template, path, owner)


def _validate_lifetime(template: PodTemplateSpec, path: str, owner: str) -> list[FieldError]:
    errors = one_of(template.spec.restart_policy, ("Always",), f"{path}.spec.restartPolicy")
    if template.spec.active_deadline_seconds is not None:
        detail = f"activeDeadlineSeconds in {owner} is not Supported"
        errors.append(forbidden_field(f"{path}.spec.activeDeadlineSeconds", detail))
    return errors


def validate_deployment(deployment: Deployment) -> list[FieldError]:
    spec = deployment.spec
    errors = not_negative(spec.replicas, "spec.replicas")
    errors += validate_pods(spec.template, spec.selector, "ReplicaSet", "deployment", _UNSOUND)
    errors += _validate_strategy(spec)
    errors += not_negative(spec.min_ready_seconds, "spec.minReadySeconds")
    errors += not_negative(spec.revision_history_limit, "spec.revisionHistoryLimit")
    if spec.progress_deadline_seconds is not None:
        errors += not_negative(spec.progress_deadline_seconds, "spec.progressDeadlineSeconds")
        if spec.progress_deadline_seconds <= (spec.min_ready_seconds or 0):
            detail = "must be greater than minReadySeconds"
            errors.append(invalid("spec.progressDeadlineSeconds", spec.progress_deadline_seconds, detail))
    return errors


def _validate_strategy(spec: DeploymentSpec) -> list[FieldError]:
    strategy, rolling = spec.strategy, spec.strategy.rolling_update
    path = "spec.strategy.rollingUpdate"
    if strategy.type == "Recreate":
        if rolling is not None:
            return [forbidden_field(path, "may not be specified when strategy `type` is 'Recreate'")]
        return []
    if strategy.type != "RollingUpdate":
        shown = {"Type": strategy.type, "RollingUpdate": None}
        return [not_supported("spec.strategy", shown, ("Recreate", "RollingUpdate"))]
    if rolling is None:
        return [required(path, "this should be defaulted and never be nil")]
    errors = int_or_percent(rolling.max_unavailable, f"{path}.maxUnavailable")
    errors += int_or_percent(rolling.max_surge, f"{path}.maxSurge")
    if is_zero(rolling.max_unavailable) and is_zero(rolling.max_surge):
        detail = "may not be 0 when `maxSurge` is 0"
        errors.append(invalid(f"{path}.maxUnavailable", rolling.max_unavailable, detail))
    return errors + at_most_all(rolling.max_unavailable, f"{path}.maxUnavailable")


def validate_deployment_update(new: Deployment, old: Deployment) -> list[FieldError]:
    return validate_deployment(new) + same_selector(new.spec.selector, old.spec.selector, "spec.selector")


def validate_replica_set(replica_set: ReplicaSet) -> list[FieldError]:
    spec = replica_set.spec
    errors = not_negative(spec.replicas, "spec.replicas")
    errors += not_negative(spec.min_ready_seconds, "spec.minReadySeconds")
    return errors + validate_pods(spec.template, spec.selector, "ReplicaSet", "deployment", _UNSOUND)


def validate_replica_set_update(new: ReplicaSet, old: ReplicaSet) -> list[FieldError]:
    return validate_replica_set(new) + same_selector(new.spec.selector, old.spec.selector, "spec.selector")


def validate_replication_controller(controller: ReplicationController) -> list[FieldError]:
    spec = controller.spec
    errors = not_negative(spec.min_ready_seconds, "spec.minReadySeconds")
    if not spec.selector:
        errors.append(required("spec.selector"))
    errors += not_negative(spec.replicas, "spec.replicas")
    if spec.template is None:
        return [*errors, required("spec.template")]
    selector = LabelSelector(match_labels=spec.selector)
    return errors + _validate_own_template(spec.template, selector, "spec.template", "ReplicationController")


def validate_daemon_set(daemon_set: DaemonSet) -> list[FieldError]:
    spec = daemon_set.spec
    selector, template = spec.selector, spec.template
    errors = validate_selector(selector, "spec.selector")
    # A selector that cannot be read finds all pods as far as the template is concerned.
    known = LabelSelector() if errors else selector
    if selector is not None and not selector.match_labels and not selector.match_expressions:
        errors.append(invalid("spec.selector", {}, "empty selector is invalid for daemonset"))
    errors += _validate_own_template(template, known, "spec.template", "DaemonSet")
    errors += not_negative(spec.min_ready_seconds, "spec.minReadySeconds")
    errors += _validate_daemon_update(spec)
    return errors + not_negative(spec.revision_history_limit, "spec.revisionHistoryLimit")


def _validate_daemon_update(spec: DaemonSetSpec) -> list[FieldError]:
    strategy = spec.update_strategy
    if strategy.type == "OnDelete":
        return []
    if strategy.type != "RollingUpdate":
        shown = {"Type": strategy.type, "RollingUpdate": None}
        return [not_supported("spec.updateStrategy", shown, ("RollingUpdate", "OnDelete"))]
    path = "spec.updateStrategy.rollingUpdate"
    return [required(path)] if strategy.rolling_update is None else _validate_rolling(strategy.rolling_update, path)


def _validate_rolling(rolling: RollingUpdateDaemonSet, path: str) -> list[FieldError]:
    errors = int_or_percent(rolling.max_unavailable, f"{path}.maxUnavailable")
    errors += int_or_percent(rolling.max_surge, f"{path}.maxSurge")
    errors += at_most_all(rolling.max_unavailable, f"{path}.maxUnavailable")
    errors += at_most_all(rolling.max_surge, f"{path}.maxSurge")
    unavailable, surge = not is_zero(rolling.max_unavailable), not is_zero(rolling.max_surge)
    if unavailable and surge:
        detail = "may not be set when maxUnavailable is non-zero"
        errors.append(invalid(f"{path}.maxSurge", rolling.max_surge, detail))
    elif not unavailable and not surge:
        errors.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return errors


def validate_daemon_set_update(new: DaemonSet, old: DaemonSet) -> list[FieldError]:
    return same_selector(new.spec.selector, old.spec.selector, "spec.selector") + validate_daemon_set(new)


def validate_pod_template(template: PodTemplate) -> list[FieldError]:
    return validate_template(template.template, "template")


def validate_controller_revision(revision: ControllerRevision) -> list[FieldError]:
    errors: list[FieldError] = []
    if revision.data is None:
        errors.append(required("data", "data is mandatory"))
    return errors + not_negative(revision.revision, "revision")


def validate_controller_revision_update(new: ControllerRevision, old: ControllerRevision) -> list[FieldError]:
    return validate_controller_revision(new) + immutable(new.data, old.data, "data")
