"""AppArmor profiles that a pod's annotations name, as they were named before there was a field for them.

The strategy of Pods gives a new pod; its containers get the fields that their annotations stand for, and whoever made
the pod is told of annotations that nobody needs any more.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import AppArmorProfile, Pod, SecurityContext
from pybernetes.apiserver.resources.validation.pod_annotations import APP_ARMOR
from pybernetes.apiserver.resources.validation.security import validate_app_armor

OLD = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_LOCAL = "localhost/"


def _profile_of(annotation: str) -> AppArmorProfile | None:
    """The profile that an annotation's value names; None for one that cannot be a field."""
    if annotation == "unconfined":
        return AppArmorProfile(type="Unconfined")
    if annotation == "runtime/default":
        return AppArmorProfile(type="RuntimeDefault")
    if not annotation.startswith(_LOCAL):
        return None
    profile = AppArmorProfile(type="Localhost", localhost_profile=annotation.removeprefix(_LOCAL))
    return None if validate_app_armor(profile, "") else profile


def follow_annotations(pod: Pod) -> list[str]:
    """Sets the fields of containers that only annotations speak of, in place; says which annotations are of old."""
    spec, notes = pod.spec, pod.metadata.annotations
    if not any(key.startswith(APP_ARMOR) for key in notes) or (spec.os is not None and spec.os.name == "windows"):
        return []
    of_pod = spec.security_context.app_armor_profile if spec.security_context is not None else None
    texts: list[str] = []
    for container in (*spec.init_containers, *spec.containers):
        key, own = APP_ARMOR + container.name, container.security_context
        if key not in notes or (own is not None and own.app_armor_profile is not None):
            continue
        profile = _profile_of(notes[key])
        if profile is not None and profile == of_pod:
            continue
        if profile is not None:
            container.security_context = own or SecurityContext()
            container.security_context.app_armor_profile = profile
        texts.append(f"metadata.annotations[{key}]: {OLD}")
    return texts
