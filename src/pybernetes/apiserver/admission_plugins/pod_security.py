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
from pybernetes.api.types.core_v1 import Namespace, Pod, PodSpec, PodTemplate, ReplicationController
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.admission_plugins.pod_security_checks import Violation, violations
from pybernetes.apiserver.reader import Reader

_PREFIX = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
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
    """What a namespace's labels ask for in a mode; labels that cannot be read ask for the strictest."""
    level, version = labels.get(_PREFIX + mode, "privileged"), labels.get(f"{_PREFIX}{mode}-version", "latest")
    if level not in _LEVELS or not (version == "latest" or _VERSION.fullmatch(version)):
        return Standard("restricted") if mode == "enforce" else Standard()
    if mode == "warn" and _PREFIX + mode not in labels:
        # Who is refused pods would like to be warned of templates of such pods.
        return standard_of(labels, "enforce")
    return Standard(level, version)


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
        if errors:
            raise invalid_object(request.kind, new.metadata.name or "", errors)
        if old is None:
            return
        standard = standard_of(labels, "enforce")
        if standard.level == "privileged" or standard == standard_of(old.metadata.labels, "enforce"):
            return
        pods = self._reader.list(Pod, new.metadata.name or "")
        request.warnings.extend(_existing_violations(new.metadata.name or "", standard, list(pods)))


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
    """Whether an update can change the verdict: images, ephemeral containers and annotations may be updated at all."""

    def shape(pod: Pod) -> tuple[object, ...]:
        images = [(item.name, item.image) for item in (*pod.spec.init_containers, *pod.spec.containers)]
        return images, pod.spec.ephemeral_containers, pod.metadata.annotations

    return shape(new) != shape(old)


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


def _found(standard: Standard, meta: ObjectMeta, spec: PodSpec) -> list[Violation]:
    return violations(standard.level, standard.minor, meta, spec)


def _listed(found: Sequence[Violation]) -> str:
    return ", ".join(f"{violation.reason} ({violation.details})" for violation in found)


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
    alike: dict[str, list[str]] = {}
    for pod in sorted(pods, key=lambda pod: pod.metadata.name or ""):
        found = _found(standard, pod.metadata, pod.spec)
        if found:
            reasons = ", ".join(violation.reason for violation in found)
            alike.setdefault(reasons, []).append(pod.metadata.name or "")
    if not alike:
        return []
    texts = [f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{standard}"']
    for reasons, names in sorted(alike.items(), key=lambda item: item[1][0]):
        others = len(names) - 1
        more = f" (and {others} other {'pod' if others == 1 else 'pods'})" if others else ""
        texts.append(f"{names[0]}{more}: {reasons}")
    return texts
