"""Fields of a pod that both levels of the Pod Security Standards look at: seccomp profiles and procMount."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import PodSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.admission_plugins.pod_security_standards.violation import (
    Violation,
    containers,
    named,
    quoted,
    setters,
    which,
)


def seccomp_types(spec: PodSpec) -> tuple[str | None, list[tuple[str, str | None]]]:
    """The type of the pod's own profile, and of each container's by name; None where there is none."""
    own = spec.security_context.seccomp_profile if spec.security_context else None
    each: list[tuple[str, str | None]] = []
    for container in containers(spec):
        profile = container.security_context.seccomp_profile if container.security_context else None
        each.append((container.name, profile.type if profile else None))
    return own.type if own else None, each


def explicit_seccomp(spec: PodSpec) -> Violation | None:
    """A profile that nobody may have."""
    own, each = seccomp_types(spec)
    good = (None, "RuntimeDefault", "Localhost")
    names = [name for name, value in each if value not in good]
    if own in good and not names:
        return None
    values = {value for _name, value in each if value not in good} | ({own} if own not in good else set())
    who = setters(own not in good, names)
    shown = quoted(sorted(value or "" for value in values))
    return Violation("seccompProfile", f"{who} must not set securityContext.seccompProfile.type to {shown}")


def masked_proc_mount(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    """A /proc that is not masked as by default."""
    names = named(spec, lambda _item, context: bool(context and context.proc_mount not in (None, "", "Default")))
    if not names:
        return None
    contexts = (container.security_context for container in containers(spec))
    values = {context.proc_mount for context in contexts if context and context.proc_mount not in (None, "", "Default")}
    shown = quoted(sorted(value or "" for value in values))
    return Violation("procMount", f"{which(names)} must not set securityContext.procMount to {shown}")
