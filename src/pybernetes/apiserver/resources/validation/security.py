"""Rules for the security contexts of pods and containers."""

from __future__ import annotations

import re

from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import (
    AppArmorProfile,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecurityContext,
    Sysctl,
)
from pybernetes.apiserver.resources.validation.numbers import in_range

_MAX_ID = 2**31 - 1
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_sysctl = re.compile(_SYSCTL)


def _valid_id(value: int | None, path: str) -> list[FieldError]:
    if value is None:
        return []
    return [invalid(path, value, text) for text in in_range(value, 0, _MAX_ID)]


def validate_pod_security(spec: PodSpec, path: str) -> list[FieldError]:
    """The context of the whole pod, and what of it excludes one another."""
    context = spec.security_context or PodSecurityContext()
    errors = _valid_id(context.fs_group, f"{path}.fsGroup")
    errors += _valid_id(context.run_as_user, f"{path}.runAsUser")
    errors += _valid_id(context.run_as_group, f"{path}.runAsGroup")
    for index, group in enumerate(context.supplemental_groups):
        errors += _valid_id(group, f"{path}.supplementalGroups[{index}]")
    if spec.share_process_namespace and spec.host_pid:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(f"{path}.shareProcessNamespace", True, detail))
    errors += _validate_sysctls(context.sysctls, f"{path}.sysctls")
    if context.fs_group_change_policy not in (None, "OnRootMismatch", "Always"):
        policies = ("Always", "OnRootMismatch")
        errors.append(not_supported(f"{path}.fsGroupChangePolicy", context.fs_group_change_policy, policies))
    if context.supplemental_groups_policy not in (None, "Merge", "Strict"):
        given = context.supplemental_groups_policy
        errors.append(not_supported(f"{path}.supplementalGroupsPolicy", given, ("Merge", "Strict")))
    errors += _validate_seccomp(context.seccomp_profile, f"{path}.seccompProfile")
    return errors + _validate_app_armor(context.app_armor_profile, f"{path}.appArmorProfile")


def _validate_sysctls(sysctls: list[Sysctl], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        where = f"{path}[{index}].name"
        name = sysctl.name.replace("/", ".")
        if not sysctl.name:
            errors.append(required(where))
        elif len(sysctl.name) > 253 or not _sysctl.fullmatch(sysctl.name):
            detail = f"must have at most 253 characters and match regex {_SYSCTL}"
            errors.append(invalid(where, sysctl.name, detail))
        elif name in seen:
            errors.append(duplicate(where, sysctl.name))
        seen.add(name)
    return errors


def _validate_seccomp(profile: SeccompProfile | None, path: str) -> list[FieldError]:
    if profile is None:
        return []
    if profile.type == "Localhost":
        if not profile.localhost_profile:
            return [required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")]
        return []
    return _profile_errors(profile, path, "seccomp", "seccompProfile")


def _validate_app_armor(profile: AppArmorProfile | None, path: str) -> list[FieldError]:
    if profile is None:
        return []
    if profile.type == "Localhost":
        if profile.localhost_profile is None:
            return [required(f"{path}.localhostProfile", "must be set when AppArmor type is Localhost")]
        return []
    return _profile_errors(profile, path, "AppArmor", "appArmorProfile")


def _profile_errors(profile: SeccompProfile | AppArmorProfile, path: str, word: str, field: str) -> list[FieldError]:
    """What is wrong with a profile that is not one of the node's own (`Localhost`)."""
    errors: list[FieldError] = []
    if profile.localhost_profile is not None:
        detail = f"can only be set when {word} type is Localhost"
        errors.append(invalid(f"{path}.localhostProfile", profile.localhost_profile, detail))
    if not profile.type:
        errors.append(required(f"{path}.type", f"type is required when {field} is set"))
    elif profile.type not in _PROFILES:
        errors.append(not_supported(f"{path}.type", profile.type, _PROFILES))
    return errors


def validate_container_security(
    context: SecurityContext | None, path: str, *, host_users: bool = True
) -> list[FieldError]:
    """The context of one container."""
    if context is None:
        return []
    errors = _valid_id(context.run_as_user, f"{path}.runAsUser")
    errors += _valid_id(context.run_as_group, f"{path}.runAsGroup")
    if context.proc_mount is not None:
        if context.proc_mount not in ("Default", "Unmasked"):
            errors.append(not_supported(f"{path}.procMount", context.proc_mount, ("Default", "Unmasked")))
        elif context.proc_mount == "Unmasked" and host_users:
            detail = "`hostUsers` must be false to use `Unmasked`"
            errors.append(invalid(f"{path}.procMount", context.proc_mount, detail))
    errors += _validate_seccomp(context.seccomp_profile, f"{path}.seccompProfile")
    if context.allow_privilege_escalation is False:
        errors += _validate_no_escalation(context, path)
    errors += _validate_app_armor(context.app_armor_profile, f"{path}.appArmorProfile")
    return errors


def _validate_no_escalation(context: SecurityContext, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if context.privileged:
        detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.append(invalid(path, _shown(context), detail))
    if context.capabilities is not None and "CAP_SYS_ADMIN" in context.capabilities.add:
        detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        errors.append(invalid(path, _shown(context), detail))
    return errors


def _shown(context: SecurityContext) -> dict[str, object]:
    """The context as Go's JSON of the internal type shows it."""
    capabilities = context.capabilities
    added = None if capabilities is None else {"Add": capabilities.add or None, "Drop": capabilities.drop or None}
    return {
        "Capabilities": added,
        "Privileged": context.privileged,
        "SELinuxOptions": None,
        "WindowsOptions": None,
        "RunAsUser": context.run_as_user,
        "RunAsGroup": context.run_as_group,
        "RunAsNonRoot": context.run_as_non_root,
        "ReadOnlyRootFilesystem": context.read_only_root_filesystem,
        "AllowPrivilegeEscalation": context.allow_privilege_escalation,
        "ProcMount": context.proc_mount,
        "SeccompProfile": None,
        "AppArmorProfile": None,
    }


def validate_host_users(spec: PodSpec, path: str) -> list[FieldError]:
    """A user namespace of its own excludes the namespaces of the host."""
    if spec.host_users is not False:
        return []
    used = (("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc))
    return [forbidden_field(f"{path}.{name}", "when `hostUsers` is false") for name, value in used if value]
