"""Rules for the security contexts of pods and containers."""

from __future__ import annotations

import re

from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.core_v1 import (
    AppArmorProfile,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecurityContext,
    Sysctl,
)
from pybernetes.apiserver.resources.validation.internal_form import internal_part
from pybernetes.apiserver.resources.validation.lists import each, repeated
from pybernetes.apiserver.resources.validation.numbers import in_range
from pybernetes.apiserver.resources.validation.operating_systems import validate_windows_options
from pybernetes.apiserver.resources.validation.paths import local_path
from pybernetes.apiserver.resources.validation.texts import no_longer, none_or_one_of, one_of

_MAX_ID = 2**31 - 1
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_sysctl = re.compile(_SYSCTL)
_IPC_SYSCTLS = frozenset({"kernel.sem"})
_IPC_PREFIXES = ("kernel.shm", "kernel.msg", "fs.mqueue.")
_PROFILE_LIMIT = 4095


def _valid_id(value: int | None, path: str) -> list[FieldError]:
    return [] if value is None else in_range(value, 0, _MAX_ID, path)


def validate_pod_security(spec: PodSpec, path: str) -> list[FieldError]:
    """The context of the whole pod, and what of it excludes one another."""
    context = spec.security_context or PodSecurityContext()
    errors = _valid_id(context.fs_group, f"{path}.fsGroup")
    errors += _valid_id(context.run_as_user, f"{path}.runAsUser")
    errors += _valid_id(context.run_as_group, f"{path}.runAsGroup")
    errors += each(context.supplemental_groups, _valid_id, f"{path}.supplementalGroups")
    if spec.share_process_namespace and spec.host_pid:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(f"{path}.shareProcessNamespace", True, detail))
    errors += _validate_sysctls(spec, context.sysctls, f"{path}.sysctls") if context.sysctls else []
    change = context.fs_group_change_policy
    errors += none_or_one_of(change, ("Always", "OnRootMismatch"), f"{path}.fsGroupChangePolicy")
    errors += _validate_seccomp(context.seccomp_profile, f"{path}.seccompProfile")
    errors += validate_windows_options(context.windows_options, f"{path}.windowsOptions")
    errors += validate_app_armor(context.app_armor_profile, f"{path}.appArmorProfile")
    for name, given, choices in (
        ("supplementalGroupsPolicy", context.supplemental_groups_policy, ("Merge", "Strict")),
        ("seLinuxChangePolicy", context.se_linux_change_policy, ("MountOption", "Recursive")),
    ):
        errors += none_or_one_of(given, choices, f"{path}.{name}")
    return errors


def _validate_sysctls(spec: PodSpec, sysctls: list[Sysctl], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(sysctl.name for sysctl in sysctls)
    for index, sysctl in enumerate(sysctls):
        where = f"{path}[{index}].name"
        name = sysctl.name.replace("/", ".")
        if not sysctl.name:
            errors.append(required(where))
        elif len(sysctl.name) > 253 or not _sysctl.fullmatch(sysctl.name):
            detail = f"must have at most 253 characters and match regex {_SYSCTL}"
            errors.append(invalid(where, sysctl.name, detail))
        elif index in again:
            errors.append(duplicate(where, sysctl.name))
        if spec.host_network and name.startswith("net."):
            errors.append(invalid(where, sysctl.name, "may not be specified when 'hostNetwork' is true"))
        elif spec.host_ipc and (name in _IPC_SYSCTLS or name.startswith(_IPC_PREFIXES)):
            errors.append(invalid(where, sysctl.name, "may not be specified when 'hostIPC' is true"))
    return errors


def _validate_seccomp(profile: SeccompProfile | None, path: str) -> list[FieldError]:
    if profile is None:
        return []
    errors: list[FieldError] = []
    if not profile.type:
        errors.append(required(f"{path}.type", "type is required when seccompProfile is set"))
    elif profile.type not in _PROFILES:
        errors.append(not_supported(f"{path}.type", profile.type, _PROFILES))
    name, where = profile.localhost_profile, f"{path}.localhostProfile"
    if profile.type == "Localhost":
        if name is None:
            errors.append(required(where, "must be set when seccomp type is Localhost"))
        else:
            errors += local_path(name, where)
    elif name is not None:
        shown = {"Type": profile.type, "LocalhostProfile": name}
        errors.append(invalid(where, shown, "can only be set when seccomp type is Localhost"))
    return errors


def validate_app_armor(profile: AppArmorProfile | None, path: str) -> list[FieldError]:
    if profile is None:
        return []
    name, where = profile.localhost_profile, f"{path}.localhostProfile"
    if profile.type == "Localhost":
        return _validate_local_profile(name, where)
    if not profile.type:
        return [required(f"{path}.type", "type is required when appArmorProfile is set")]
    if profile.type not in _PROFILES:
        return [not_supported(f"{path}.type", profile.type, _PROFILES)]
    if name is not None:
        return [invalid(where, name, "can only be set when AppArmor type is Localhost")]
    return []


def _validate_local_profile(name: str | None, path: str) -> list[FieldError]:
    """The name of an AppArmor profile that the node has."""
    if not (name or "").strip() and (name or "") == (name or "").strip():
        return [required(path, "must be set when AppArmor type is Localhost")]
    assert name is not None
    errors: list[FieldError] = []
    if name != name.strip():
        errors.append(invalid(path, name, "must not be padded with whitespace"))
    return errors + no_longer(name.encode(), _PROFILE_LIMIT, path)


def validate_container_security(
    context: SecurityContext | None, path: str, *, host_users: bool = True
) -> list[FieldError]:
    """The context of one container."""
    if context is None:
        return []
    errors = _valid_id(context.run_as_user, f"{path}.runAsUser")
    errors += _valid_id(context.run_as_group, f"{path}.runAsGroup")
    if context.proc_mount is not None:
        errors += one_of(context.proc_mount, ("Default", "Unmasked"), f"{path}.procMount")
        if context.proc_mount == "Unmasked" and host_users:
            detail = "`hostUsers` must be false to use `Unmasked`"
            errors.append(invalid(f"{path}.procMount", context.proc_mount, detail))
    errors += _validate_seccomp(context.seccomp_profile, f"{path}.seccompProfile")
    if context.allow_privilege_escalation is False:
        errors += _validate_no_escalation(context, path)
    errors += validate_windows_options(context.windows_options, f"{path}.windowsOptions")
    return errors + validate_app_armor(context.app_armor_profile, f"{path}.appArmorProfile")


def _validate_no_escalation(context: SecurityContext, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if context.privileged:
        detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.append(invalid(path, internal_part(context), detail))
    if context.capabilities is not None and "CAP_SYS_ADMIN" in context.capabilities.add:
        detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        errors.append(invalid(path, internal_part(context), detail))
    return errors
