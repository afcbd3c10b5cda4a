"""Rules for RuntimeClasses: how a handler is named, what it costs, and on which nodes it is."""

from __future__ import annotations

from pybernetes.api.names import dns1123_label
from pybernetes.api.status import FieldError, duplicate
from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.metadata import immutable, validate_labels
from pybernetes.apiserver.resources.validation.numbers import requirements
from pybernetes.apiserver.resources.validation.selectors import identity_of, validate_tolerations
from pybernetes.apiserver.resources.validation.texts import obeys


def validate_runtime_class(runtime_class: RuntimeClass) -> list[FieldError]:
    errors = obeys(runtime_class.handler, dns1123_label, "handler")
    if runtime_class.overhead is not None:
        errors += requirements(runtime_class.overhead.pod_fixed, {}, "overhead")
    scheduling = runtime_class.scheduling
    if scheduling is None:
        return errors
    errors += validate_labels(scheduling.node_selector, "scheduling.nodeSelector")
    path = "scheduling.tolerations"
    errors += validate_tolerations(scheduling.tolerations, path)
    for index in sorted(repeated(map(identity_of, scheduling.tolerations))):
        twin = scheduling.tolerations[index]
        shown = dict(zip(("Key", "Operator", "Value", "Effect"), identity_of(twin), strict=True))
        errors.append(duplicate(f"{path}[{index}]", {**shown, "TolerationSeconds": twin.toleration_seconds}))
    return errors


def validate_runtime_class_update(new: RuntimeClass, old: RuntimeClass) -> list[FieldError]:
    return immutable(new.handler, old.handler, "handler")
