"""PodSecurity: namespaces say by labels how careful their pods must be.

Pods, and what holds templates of pods, come in; `enforce` refuses pods, `warn` shows warnings, `audit` annotates. A
change of a namespace's own labels is checked, and warns of the pods that are there already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pybernetes.api.objects import ApiObject
from pybernetes.api.status import FieldError, invalid, invalid_object
from pybernetes.api.types.apps_v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from pybernetes.api.types.batch_v1 import CronJob, Job
from pybernetes.api.types.core_v1 import (
    Container,
    EphemeralContainer,
    Namespace,
    Pod,
    PodSpec,
    PodTemplate,
    ReplicationController,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.reader import Reader
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.admission_plugins.pod_security_standards import levels, violation

_PREFIX = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
# So many of the pods that are there are looked at when a namespace becomes stricter.
_EXISTING_MAX = 3000
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")
_WORKLOADS = (Deployment, ReplicaSet, DaemonSet, StatefulSet, ReplicationController, Job, CronJob, PodTemplate)


@dataclass(frozen=True, slots=True)
class Standard:
    """One level of one version of the standards, such as `restricted:v1.25`."""

    level: str = "privileged"
    version: str = "latest"

    @property
    def minor(self) -> int | None:
        match = _VERSION.fullmatch(self.version)
        return int(match[1]) if match else None

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


def standard_of(labels: Mapping[str, str], mode: str) -> Standard:
    """What a namespace's labels ask for in a mode; a level that cannot be read enforces the strictest."""
    given, version = labels.get(_PREFIX + mode, "privileged"), labels.get(f"{_PREFIX}{mode}-version", "latest")
    level = given if given in _LEVELS else "restricted" if mode == "enforce" else "privileged"
    if mode == "warn" and _PREFIX + mode not in labels and labels.get(_PREFIX + "enforce") in _LEVELS:
        # Who is refused pods would like to be warned of templates of such pods.
        enforced = standard_of(labels, "enforce")
        level, version = enforced.level, labels.get(_PREFIX + "warn-version", enforced.version)
    return Standard(level, version if _VERSION.fullmatch(version) else "latest")


class PodSecurity(Bystander):
    """Checks pods, workloads and the labels of namespaces."""

    name = "PodSecurity"
    repeats = True

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        if request.operation not in ("CREATE", "UPDATE"):
            return False
        if request.kind.type is Pod:
            return request.subresource in ("", "ephemeralcontainers")
        return not request.subresource and (request.kind.type is Namespace or request.kind.type in _WORKLOADS)

    async def validate(self, request: AdmissionRequest) -> None:
        obj = request.object
        if isinstance(obj, Namespace):
            old = request.old_object
            self._check_namespace(request, obj, old if isinstance(old, Namespace) else None)
            return
        namespace = self._reader.get(Namespace, request.namespace)
        labels = namespace.metadata.labels if namespace is not None else {}
        if obj is None or not any(key.startswith(_PREFIX) for key in labels):
            return
        if isinstance(obj, Pod):
            _check_pod(request, obj, labels)
        else:
            _check_workload(request, obj, labels)

    def _check_namespace(self, request: AdmissionRequest, new: Namespace, old: Namespace | None) -> None:
        labels = new.metadata.labels
        errors = label_errors(labels)
        # What was wrong before may stay so.
        if errors and (old is None or errors != label_errors(old.metadata.labels)):
            raise invalid_object(request.kind, new.metadata.name or "", errors)
        if old is None:
            return
        standard = standard_of(labels, "enforce")
        if _is_stricter(standard, standard_of(old.metadata.labels, "enforce")):
            name = new.metadata.name or ""
            request.warnings.extend(_existing_violations(name, standard, list(self._reader.list(Pod, name))))


def _is_stricter(new: Standard, old: Standard) -> bool:
    """Whether pods that were allowed may not be any more."""
    if new.version == old.version:
        return _LEVELS.index(new.level) > _LEVELS.index(old.level)
    return new.level != "privileged"


def _check_pod(request: AdmissionRequest, pod: Pod, labels: Mapping[str, str]) -> None:
    old = request.old_object
    if isinstance(old, Pod) and not _is_significant(pod, old):
        return
    enforced, audited = standard_of(labels, "enforce"), standard_of(labels, "audit")
    _audit(request, audited, pod.metadata, pod.spec)
    found = _found(enforced, pod.metadata, pod.spec)
    if found:
        raise refusal(request, f'violates PodSecurity "{enforced}": {_listed(found)}')
    _warn(request, standard_of(labels, "warn"), pod.metadata, pod.spec)


def _is_significant(new: Pod, old: Pod) -> bool:
    """Whether an update can change the verdict: of what may be updated at all, an image and how it is confined."""

    def shapes(pod: Pod) -> list[tuple[str, str | None, str | None]]:
        every: list[Container | EphemeralContainer] = [*pod.spec.containers, *pod.spec.init_containers]
        every += pod.spec.ephemeral_containers
        return [(item.name, item.image, pod.metadata.annotations.get(_SECCOMP + item.name)) for item in every]

    return shapes(new) != shapes(old)


def _check_workload(request: AdmissionRequest, obj: ApiObject, labels: Mapping[str, str]) -> None:
    template = _template(obj)
    if template is None:
        return
    _audit(request, standard_of(labels, "audit"), *template)
    _warn(request, standard_of(labels, "warn"), *template)


def _template(obj: ApiObject) -> tuple[ObjectMeta, PodSpec] | None:
    if isinstance(obj, PodTemplate):
        return obj.template.metadata, obj.template.spec
    if isinstance(obj, CronJob):
        template = obj.spec.job_template.spec.template
        return template.metadata, template.spec
    found = getattr(getattr(obj, "spec", None), "template", None)
    return (found.metadata, found.spec) if found is not None else None


def _found(standard: Standard, meta: ObjectMeta, spec: PodSpec) -> list[violation.Violation]:
    return levels.violations(standard.level, standard.minor, meta, spec)


def _listed(found: Sequence[violation.Violation]) -> str:
    return ", ".join(f"{each.reason} ({each.details})" for each in found)


def _warn(request: AdmissionRequest, standard: Standard, meta: ObjectMeta, spec: PodSpec) -> None:
    found = _found(standard, meta, spec)
    if found:
        request.warnings.append(f'would violate PodSecurity "{standard}": {_listed(found)}')


def _audit(request: AdmissionRequest, standard: Standard, meta: ObjectMeta, spec: PodSpec) -> None:
    found = _found(standard, meta, spec)
    if found:
        text = f'would violate PodSecurity "{standard}": {_listed(found)}'
        request.audit["pod-security.kubernetes.io/audit-violations"] = text


def label_errors(labels: Mapping[str, str]) -> list[FieldError]:
    """What is wrong with the pod-security labels of a namespace."""
    errors = []
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(_PREFIX + mode), labels.get(f"{_PREFIX}{mode}-version")
        if level is not None and level not in _LEVELS:
            detail = f"must be one of {', '.join(_LEVELS)}"
            errors.append(invalid(f"metadata.labels[{_PREFIX}{mode}]", level, detail))
        if version is not None and version != "latest" and not _VERSION.fullmatch(version):
            detail = 'must be "latest" or "v1.x"'
            errors.append(invalid(f"metadata.labels[{_PREFIX}{mode}-version]", version, detail))
    return errors


def _existing_violations(namespace: str, standard: Standard, pods: Sequence[Pod]) -> list[str]:
    """Warnings of pods that could not be made any more, those with the same violations together."""
    looked_at = _of_every_controller(pods)[:_EXISTING_MAX]
    alike: dict[str, list[str]] = {}
    for pod in looked_at:
        found = _found(standard, pod.metadata, pod.spec)
        if found:
            reasons = ", ".join(each.reason for each in found)
            alike.setdefault(reasons, []).append(pod.metadata.name or "")
    texts = []
    if len(looked_at) < len(pods):
        count = f"the first {len(looked_at)} of {len(pods)} existing pods"
        texts.append(f"new PodSecurity enforce level only checked against {count}")
    if alike:
        texts.append(f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{standard}"')
    return texts + sorted(f"{_counted(names)}: {reasons}" for reasons, names in alike.items())


def _of_every_controller(pods: Sequence[Pod]) -> list[Pod]:
    """The pods with the first of each controller, and those of none, before the others."""
    seen: set[str] = set()
    first: list[Pod] = []
    others: list[Pod] = []
    for pod in pods:
        owner = next((owner.uid for owner in pod.metadata.owner_references if owner.controller), "")
        (others if owner in seen else first).append(pod)
        seen |= {owner} if owner else set()
    return first + others


def _counted(names: Sequence[str]) -> str:
    others = len(names) - 1
    return min(names) + (f" (and {others} other {'pod' if others == 1 else 'pods'})" if others else "")
