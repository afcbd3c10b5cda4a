"""What the level restricted of the Pod Security Standards forbids besides.

Each check takes a pod's metadata and spec and answers None or a violation, in upstream's words. Called by `levels`.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import PodSpec, SecurityContext
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.admission_plugins.pod_security_standards.fields import explicit_seccomp, seccomp_types
from pybernetes.apiserver.admission_plugins.pod_security_standards.violation import (
    AnyContainer,
    Check,
    Violation,
    added,
    containers,
    named,
    plural,
    quoted,
    setters,
    which,
)

_RESTRICTED_VOLUMES = frozenset(
    [
        "config_map",
        "csi",
        "downward_api",
        "empty_dir",
        "ephemeral",
        "image",
        "persistent_volume_claim",
        "projected",
        "secret",
    ]
)


def privilege_escalation(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = named(spec, lambda _item, context: not context or context.allow_privilege_escalation is not False)
    if not names:
        return None
    details = f"{which(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", details)


def but_on_windows(check: Check) -> Check:
    """The check of all pods but those for Windows, which does not know what it is about."""

    def of_others(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
        return None if spec.os is not None and spec.os.name == "windows" else check(meta, spec)

    return of_others


def capabilities(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    def keeps(_container: AnyContainer, context: SecurityContext | None) -> bool:
        return not (context and context.capabilities and "ALL" in context.capabilities.drop)

    allowed = {"NET_BIND_SERVICE"}
    keeping = named(spec, keeps)
    adding = named(spec, lambda container, _context: bool(set(added(container)) - allowed))
    parts = [f'{which(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if adding:
        bad = sorted({name for container in containers(spec) for name in added(container)} - allowed)
        parts.append(f"{which(adding)} must not include {quoted(bad)} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(parts)) if parts else None


def volume_types(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names: list[str] = []
    kinds: set[str] = set()
    for volume in spec.volumes:
        fields = zip(volume.__struct_fields__, volume.__struct_encode_fields__, strict=True)
        for attribute, field in fields:
            is_source = attribute != "name" and attribute not in _RESTRICTED_VOLUMES
            if is_source and getattr(volume, attribute) is not None:
                names.append(volume.name)
                kinds.add(field)
    if not names:
        return None
    uses = "uses" if len(names) == 1 else "use"
    what = f"{plural('volume', len(names))} {quoted(names)} {uses} restricted"
    return Violation("restricted volume types", f"{what} {plural('volume type', len(kinds))} {quoted(sorted(kinds))}")


def run_as_non_root(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    if spec.host_users is False:
        return None
    own = spec.security_context.run_as_non_root if spec.security_context else None
    explicit = named(spec, lambda _item, context: bool(context and context.run_as_non_root is False))
    if own is False or explicit:
        who = setters(own is False, explicit)
        return Violation("runAsNonRoot != true", f"{who} must not set securityContext.runAsNonRoot=false")
    names = named(spec, lambda _item, context: not context or context.run_as_non_root is None)
    if own or not names:
        return None
    who = setters(True, names, " or ")
    return Violation("runAsNonRoot != true", f"{who} must set securityContext.runAsNonRoot=true")


def run_as_user(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    if spec.host_users is False:
        return None
    own = spec.security_context.run_as_user if spec.security_context else None
    names = named(spec, lambda _item, context: bool(context and context.run_as_user == 0))
    if own != 0 and not names:
        return None
    return Violation("runAsUser=0", f"{setters(own == 0, names)} must not set runAsUser=0")


def seccomp(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    explicit = explicit_seccomp(spec)
    if explicit is not None:
        return explicit
    own, each = seccomp_types(spec)
    names = [name for name, value in each if value is None]
    if own is not None or not names:
        return None
    wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"{setters(True, names, ' or ')} must set {wanted}")
