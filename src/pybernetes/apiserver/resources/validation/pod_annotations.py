"""Rules for the annotations of pods that mean something to Kubernetes, and for those that repeat what a field says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from pybernetes.api.status import FieldError, forbidden_field, invalid
from pybernetes.api.types.core_v1 import AppArmorProfile, PodSpec, SeccompProfile, Toleration
from pybernetes.apiserver.resources.validation.operating_systems import visit_containers
from pybernetes.apiserver.resources.validation.paths import local_path
from pybernetes.apiserver.resources.validation.selectors import validate_tolerations

MIRROR = "kubernetes.io/config.mirror"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_LOCAL = "localhost/"
_DEFAULT = "runtime/default"
_SECCOMP_DEFAULTS = (_DEFAULT, "docker/default")
_cost = re.compile("-?0*[0-9]{1,10}|0")


def validate_pod_annotations(annotations: Mapping[str, str], spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if annotations.get(MIRROR) is not None and not spec.node_name:
        detail = "must set spec.nodeName if mirror pod annotation is set"
        errors.append(invalid(f"{path}[{MIRROR}]", annotations[MIRROR], detail))
    if annotations.get(_TOLERATIONS):
        errors += _validate_tolerations(annotations[_TOLERATIONS], path)
    if (cost := annotations.get(_DELETION_COST)) is not None and not _is_deletion_cost(cost):
        errors.append(invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer"))
    for key, value in annotations.items():
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            errors += _validate_seccomp(value, f"{path}.{key}")
    names = {container.name for container, _ in visit_containers(spec, "spec")}
    for key, value in annotations.items():
        if key.startswith(APP_ARMOR):
            if (container := key.removeprefix(APP_ARMOR)) not in names:
                errors.append(invalid(f"{path}[{key}]", container, "container not found"))
            if value not in ("", _DEFAULT, "unconfined") and not value.startswith(_LOCAL):
                errors.append(invalid(f"{path}[{key}]", value, f'invalid AppArmor profile name: "{value}"'))
    return errors


def _is_deletion_cost(text: str) -> bool:
    """A number of 32 bits, written without a plus sign and without leading zeros."""
    if not _cost.fullmatch(text) or (text.startswith("0") and text != "0"):
        return False
    return -(2**31) <= int(text) < 2**31


def _validate_tolerations(text: str, path: str) -> list[FieldError]:
    try:
        tolerations = msgspec.json.decode(text.encode(), type=list[Toleration])
    except (msgspec.DecodeError, ValueError) as error:
        return [invalid(path, _TOLERATIONS, str(error))]
    return validate_tolerations(tolerations, f"{path}.{_TOLERATIONS}")


def _validate_seccomp(profile: str, path: str) -> list[FieldError]:
    if profile in _SECCOMP_DEFAULTS or profile == "unconfined":
        return []
    if profile.startswith(_LOCAL):
        return local_path(profile.removeprefix(_LOCAL), path)
    return [invalid(path, profile, "must be a valid seccomp profile")]


def validate_matching_profiles(annotations: Mapping[str, str], spec: PodSpec, path: str) -> list[FieldError]:
    """Where both an annotation of old and the field name a profile of seccomp, they name the same."""
    errors: list[FieldError] = []
    context = spec.security_context
    if context is not None and (text := annotations.get(SECCOMP_POD)) is not None:
        where = f"{path}.securityContext.seccompProfile"
        errors += _match(text, context.seccomp_profile, where, "seccomp", _SECCOMP_DEFAULTS)
    for container, where in visit_containers(spec, path):
        own, text = container.security_context, annotations.get(SECCOMP_CONTAINER + container.name)
        if own is not None and text is not None:
            profile = f"{where}.securityContext.seccompProfile"
            errors += _match(text, own.seccomp_profile, profile, "seccomp", _SECCOMP_DEFAULTS)
    return errors


def validate_matching_app_armor(annotations: Mapping[str, str], spec: PodSpec, path: str) -> list[FieldError]:
    """The same of AppArmor's profiles; templates are not asked, since the pods that they make will be."""
    if spec.os is not None and spec.os.name == "windows":
        return []
    errors: list[FieldError] = []
    of_pod = spec.security_context.app_armor_profile if spec.security_context is not None else None
    for container, where in visit_containers(spec, path):
        own, text = container.security_context, annotations.get(APP_ARMOR + container.name)
        wanted = own.app_armor_profile if own is not None and own.app_armor_profile is not None else of_pod
        if text is not None:
            errors += _match(text, wanted, f"{where}.securityContext.appArmorProfile", "apparmor", (_DEFAULT,))
    return errors


def _match(
    text: str, profile: SeccompProfile | AppArmorProfile | None, path: str, word: str, defaults: tuple[str, ...]
) -> list[FieldError]:
    if profile is None:
        return []
    same_type: Mapping[str, Callable[[], bool]] = {
        "Unconfined": lambda: text == "unconfined",
        "RuntimeDefault": lambda: text in defaults,
        "Localhost": lambda: text.startswith(_LOCAL),
    }
    check = same_type.get(profile.type)
    if check is None:
        return []
    if not check():
        return [forbidden_field(f"{path}.type", f"{word} type in annotation and field must match")]
    if profile.type == "Localhost" and text.removeprefix(_LOCAL) != profile.localhost_profile:
        detail = f"{word} profile in annotation and field must match"
        return [forbidden_field(f"{path}.localhostProfile", detail)]
    return []


def validate_annotation_changes(new: Mapping[str, str], old: Mapping[str, str], path: str) -> list[FieldError]:
    """What runs is what the annotations of the pod's beginning say."""
    changes = [(key, "remove or update") for key in old if new.get(key) != old[key]]
    changes += [(key, "add") for key in new if key not in old]
    errors: list[FieldError] = []
    for key, what in changes:
        if key.startswith(APP_ARMOR):
            errors.append(forbidden_field(f"{path}[{key}]", f"may not {what} AppArmor annotations"))
        elif key == MIRROR:
            errors.append(forbidden_field(f"{path}[{key}]", f"may not {what} mirror pod annotation"))
    return errors
