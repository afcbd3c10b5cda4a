"""Rules for what only one operating system knows: the security options of Windows, and what no pod of it may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pybernetes.api.names import dns1123_subdomain
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import (
    Container,
    EphemeralContainer,
    PodSecurityContext,
    PodSpec,
    WindowsSecurityContextOptions,
)
from pybernetes.apiserver.resources.validation.texts import none_or_obeys

_SYSTEMS = ("linux", "windows")
_SPEC_KIB = 64
_DOMAIN_LIMIT, _USER_LIMIT = 256, 104
_control = re.compile(r"[\x00-\x1f\x7f]")
_net_bios = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_dns_domain = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_bad_user = re.compile(r'["/\\:;|=,+*?<>@\[\]]')
_only_dots = re.compile(r"[. ]+")
_NOT_WINDOWS = "cannot be set for a windows pod"
_NOT_LINUX = "windows options cannot be set for a linux pod"
# (attribute, wire name) in the order of complaints.
_POD_CONTEXT = (
    ("fs_group", "fsGroup"),
    ("fs_group_change_policy", "fsGroupChangePolicy"),
    ("sysctls", "sysctls"),
)
_POD_IDS = (
    ("run_as_user", "runAsUser"),
    ("run_as_group", "runAsGroup"),
    ("supplemental_groups", "supplementalGroups"),
    ("supplemental_groups_policy", "supplementalGroupsPolicy"),
    ("se_linux_change_policy", "seLinuxChangePolicy"),
)
_CONTAINER_CONTEXT = (
    ("app_armor_profile", "appArmorProfile"),
    ("se_linux_options", "seLinuxOptions"),
    ("seccomp_profile", "seccompProfile"),
    ("capabilities", "capabilities"),
    ("read_only_root_filesystem", "readOnlyRootFilesystem"),
    ("privileged", "privileged"),
    ("allow_privilege_escalation", "allowPrivilegeEscalation"),
    ("proc_mount", "procMount"),
    ("run_as_user", "runAsUser"),
    ("run_as_group", "runAsGroup"),
)


def visit_containers(spec: PodSpec, path: str) -> Iterator[tuple[Container | EphemeralContainer, str]]:
    """All containers with their paths, in the order in which upstream visits them."""
    for index, container in enumerate(spec.init_containers):
        yield container, f"{path}.initContainers[{index}]"
    for index, container in enumerate(spec.containers):
        yield container, f"{path}.containers[{index}]"
    for index, ephemeral in enumerate(spec.ephemeral_containers):
        yield ephemeral, f"{path}.ephemeralContainers[{index}]"


def validate_windows_options(options: WindowsSecurityContextOptions | None, path: str) -> list[FieldError]:
    if options is None:
        return []
    errors: list[FieldError] = []
    name, spec = options.gmsa_credential_spec_name, options.gmsa_credential_spec
    errors += none_or_obeys(name, dns1123_subdomain, f"{path}.gmsaCredentialSpecName")
    if spec == "":
        errors.append(invalid(f"{path}.gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string"))
    elif spec is not None and len(spec.encode()) > _SPEC_KIB * 1024:
        detail = f"gmsaCredentialSpec size must be under {_SPEC_KIB} KiB"
        errors.append(invalid(f"{path}.gmsaCredentialSpec", spec, detail))
    user = options.run_as_user_name
    return errors + none_or_obeys(user, _user_name_problems, f"{path}.runAsUserName")


def _user_name_problems(name: str) -> list[str]:
    """A user of Windows, with or without its domain."""
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if _control.search(name):
        return ["runAsUserName cannot contain control characters"]
    domain, backslash, user = name.rpartition("\\")
    if "\\" in domain:
        return ["runAsUserName cannot contain more than one backslash"]
    texts: list[str] = []
    if len(domain) >= _DOMAIN_LIMIT:
        texts.append(f"runAsUserName's Domain length must be under {_DOMAIN_LIMIT} characters")
    if backslash and not (_net_bios.fullmatch(domain) or _dns_domain.fullmatch(domain)):
        texts.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    if not user:
        texts.append("runAsUserName's User cannot be empty")
    elif len(user) > _USER_LIMIT:
        texts.append(f"runAsUserName's User length must not be longer than {_USER_LIMIT} characters")
    if _only_dots.fullmatch(user):
        texts.append("runAsUserName's User cannot contain only periods or spaces")
    if _bad_user.search(user):
        texts.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return texts


def _host_process(context: Any) -> bool | None:
    options = context.windows_options if context is not None else None
    return options.host_process if options is not None else None


def validate_host_process(spec: PodSpec, path: str) -> list[FieldError]:
    """Containers that are processes of the host: all of a pod's or none, and in the host's network."""
    errors: list[FieldError] = []
    of_pod = _host_process(spec.security_context)
    count = 0
    containers = list(visit_containers(spec, path))
    for container, where in containers:
        own = _host_process(container.security_context)
        if of_pod is not None and own is not None and of_pod != own:
            shown = str(of_pod).lower()
            detail = f"pod hostProcess value must be identical if both are specified, was {shown}"
            errors.append(invalid(f"{where}.securityContext.windowsOptions.hostProcess", own, detail))
        count += bool(own if own is not None else of_pod)
    if count:
        if count != len(containers):
            detail = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
            errors.append(invalid(path, "", detail))
        if not spec.host_network:
            detail = "hostNetwork must be true if pod contains any hostProcess containers"
            errors.append(invalid(f"{path}.hostNetwork", False, detail))
    return errors


def validate_system(spec: PodSpec, path: str) -> list[FieldError]:
    """A pod that names its operating system has nothing of another."""
    if spec.os is None:
        return []
    if not spec.os.name:
        return [required(f"{path}.os.name", "cannot be empty")]
    if spec.os.name not in _SYSTEMS:
        return [not_supported(f"{path}.os", spec.os.name, _SYSTEMS)]
    return _validate_linux(spec, path) if spec.os.name == "linux" else _validate_windows(spec, path)


def _validate_linux(spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.security_context is not None and spec.security_context.windows_options is not None:
        errors.append(forbidden_field(f"{path}.securityContext.windowsOptions", _NOT_LINUX))
    for container, where in visit_containers(spec, path):
        if container.security_context is not None and container.security_context.windows_options is not None:
            errors.append(forbidden_field(f"{where}.securityContext.windowsOptions", _NOT_LINUX))
    return errors


def _validate_windows(spec: PodSpec, path: str) -> list[FieldError]:
    context = spec.security_context or PodSecurityContext()
    within = f"{path}.securityContext"
    given = [
        (context.app_armor_profile is not None, f"{within}.appArmorProfile"),
        (context.se_linux_options is not None, f"{within}.seLinuxOptions"),
        (spec.host_users is not None, f"{path}.hostUsers"),
        (spec.host_pid, f"{path}.hostPID"),
        (spec.host_ipc, f"{path}.hostIPC"),
        (context.seccomp_profile is not None, f"{within}.seccompProfile"),
        *((_is_given(context, name), f"{within}.{wire}") for name, wire in _POD_CONTEXT),
        (spec.share_process_namespace is not None, f"{path}.shareProcessNamespace"),
        *((_is_given(context, name), f"{within}.{wire}") for name, wire in _POD_IDS),
    ]
    for container, where in visit_containers(spec, path):
        own = container.security_context
        if own is not None:
            given += ((_is_given(own, name), f"{where}.securityContext.{wire}") for name, wire in _CONTAINER_CONTEXT)
    return [forbidden_field(where, _NOT_WINDOWS) for is_given, where in given if is_given]


def _is_given(context: Any, attribute: str) -> bool:
    value = getattr(context, attribute)
    return value is not None and value != []
