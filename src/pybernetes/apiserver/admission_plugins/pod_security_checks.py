"""The Pod Security Standards as functions of a pod: what the levels baseline and restricted forbid.

Each check takes a pod's metadata and spec and answers None or a violation: a reason, and details that name containers
and fields. `violations` runs those of a level and a version, in upstream's order. Called by `pod_security`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pybernetes.api.sysctls import SAFE_SYSCTLS
from pybernetes.api.types.core_v1 import Container, EphemeralContainer, PodSpec, SecurityContext
from pybernetes.api.types.meta_v1 import ObjectMeta

AnyContainer = Container | EphemeralContainer
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_BASELINE_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
_SE_LINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")
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
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
# By the minor version that began to allow them; all others were allowed from the beginning.
_SYSCTLS_SINCE = {
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
}
# A minor version after all that there will be.
_LATEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a level forbids; shown as `reason (details)`."""

    reason: str
    details: str


Check = Callable[[ObjectMeta, PodSpec], Violation | None]


def violations(level: str, minor: int | None, meta: ObjectMeta, spec: PodSpec) -> list[Violation]:
    """What a level (privileged, baseline or restricted) of a minor version (None: the latest) forbids about a pod."""
    found = [check(meta, spec) for check in _checks_of(level, _LATEST if minor is None else min(minor, _LATEST))]
    return [violation for violation in found if violation is not None]


def _containers(spec: PodSpec) -> Iterator[AnyContainer]:
    yield from spec.init_containers
    yield from spec.containers
    yield from spec.ephemeral_containers


def _named(spec: PodSpec, is_bad: Callable[[AnyContainer, SecurityContext | None], bool]) -> list[str]:
    return [container.name for container in _containers(spec) if is_bad(container, container.security_context)]


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts)


def _plural(one: str, count: int) -> str:
    return one if count == 1 else one + "s"


def _which(names: Sequence[str]) -> str:
    return f"{_plural('container', len(names))} {_quoted(names)}"


def _setters(by_pod: bool, names: Sequence[str], joint: str = " and ") -> str:
    """`pod and containers "a", "b"`."""
    return joint.join((["pod"] if by_pod else []) + ([_which(names)] if names else []))


def _app_armor(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    """Of a pod, whose fields follow its annotations, and of a template, whose do not."""

    def bad(kind: str | None) -> bool:
        return kind not in (None, "RuntimeDefault", "Localhost")

    values: set[str] = set()
    own = spec.security_context.app_armor_profile if spec.security_context else None
    if own is not None and bad(own.type):
        values.add(own.type)
    forbidden = {
        key: value
        for key, value in meta.annotations.items()
        if key.startswith(_APP_ARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    }
    names = []
    for container in _containers(spec):
        profile = container.security_context.app_armor_profile if container.security_context else None
        if profile is not None and bad(profile.type):
            names.append(container.name)
            values.add(profile.type)
    who = [text for text in (_setters(own is not None and bad(own.type), names),) if text]
    who += [_plural("annotation", len(forbidden))] if forbidden else []
    if not who:
        return None
    shown = sorted(values) + [f'{key}="{value}"' for key, value in sorted(forbidden.items())]
    details = f"{' and '.join(who)} must not set AppArmor profile type to {_quoted(shown)}"
    return Violation(_plural("forbidden AppArmor profile", len(shown)), details)


def _added(container: AnyContainer) -> list[str]:
    context = container.security_context
    return context.capabilities.add if context and context.capabilities else []


def _capabilities_baseline(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    bad = {name for container in _containers(spec) for name in _added(container)} - _BASELINE_CAPABILITIES
    if not bad:
        return None
    names = _named(spec, lambda container, _context: bool(bad & set(_added(container))))
    details = f"{_which(names)} must not include {_quoted(sorted(bad))} in securityContext.capabilities.add"
    return Violation("non-default capabilities", details)


def _host_namespaces(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    parts = (("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc))
    used = [f"{name}=true" for name, value in parts if value]
    return Violation("host namespaces", ", ".join(used)) if used else None


def _host_path_volumes(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = [volume.name for volume in spec.volumes if volume.host_path is not None]
    return Violation("hostPath volumes", f"{_plural('volume', len(names))} {_quoted(names)}") if names else None


def _host_ports(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = _named(spec, lambda container, _context: any(port.host_port for port in container.ports))
    if not names:
        return None
    ports = sorted({port.host_port for item in _containers(spec) for port in item.ports if port.host_port})
    uses = "uses" if len(names) == 1 else "use"
    listed = ", ".join(str(port) for port in ports)
    return Violation("hostPort", f"{_which(names)} {uses} {_plural('hostPort', len(ports))} {listed}")


def _hosts(container: AnyContainer) -> set[str]:
    probes = (container.liveness_probe, container.readiness_probe, container.startup_probe)
    hooks = (container.lifecycle.post_start, container.lifecycle.pre_stop) if container.lifecycle else ()
    actions = [action for probe in probes if probe for action in (probe.http_get, probe.tcp_socket)]
    actions += [action for hook in hooks if hook for action in (hook.http_get, hook.tcp_socket)]
    return {action.host for action in actions if action and action.host}


def _probe_hosts(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = _named(spec, lambda container, _context: bool(_hosts(container)))
    if not names:
        return None
    hosts = sorted({host for container in _containers(spec) for host in _hosts(container)})
    uses = "uses" if len(names) == 1 else "use"
    details = f"{_which(names)} {uses} probe or lifecycle {_plural('host', len(hosts))} {_quoted(hosts)}"
    return Violation("probe or lifecycle host", details)


def _privileged(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = _named(spec, lambda _container, context: bool(context and context.privileged))
    return Violation("privileged", f"{_which(names)} must not set securityContext.privileged=true") if names else None


def _proc_mount_restricted(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = _named(spec, lambda _item, context: bool(context and context.proc_mount not in (None, "", "Default")))
    if not names:
        return None
    contexts = (container.security_context for container in _containers(spec))
    values = {context.proc_mount for context in contexts if context and context.proc_mount not in (None, "", "Default")}
    shown = _quoted(sorted(value or "" for value in values))
    return Violation("procMount", f"{_which(names)} must not set securityContext.procMount to {shown}")


def _proc_mount(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    # Within a user namespace of its own a pod may see an unmasked /proc.
    return None if spec.host_users is False else _proc_mount_restricted(meta, spec)


def _se_linux(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    return _se_linux_beyond((*_SE_LINUX_TYPES, "container_engine_t"), spec)


def _se_linux_before_1_31(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    return _se_linux_beyond(_SE_LINUX_TYPES, spec)


def _se_linux_beyond(allowed: Collection[str], spec: PodSpec) -> Violation | None:
    pod_options = spec.security_context.se_linux_options if spec.security_context else None
    every = [("", pod_options)]
    for container in _containers(spec):
        context = container.security_context
        every.append((container.name, context.se_linux_options if context else None))
    bad = [
        (name, options)
        for name, options in every
        if options and ((options.type or "") not in allowed or options.user or options.role)
    ]
    if not bad:
        return None
    types = sorted({options.type or "" for _name, options in bad} - set(allowed))
    parts = [f"{_plural('type', len(types))} {_quoted(types)}"] if types else []
    parts += ["user may not be set"] if any(options.user for _name, options in bad) else []
    parts += ["role may not be set"] if any(options.role for _name, options in bad) else []
    who = _setters(any(not name for name, _options in bad), [name for name, _options in bad if name])
    return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(parts)}")


def _seccomp_types(spec: PodSpec) -> tuple[str | None, list[tuple[str, str | None]]]:
    own = spec.security_context.seccomp_profile if spec.security_context else None
    each: list[tuple[str, str | None]] = []
    for container in _containers(spec):
        profile = container.security_context.seccomp_profile if container.security_context else None
        each.append((container.name, profile.type if profile else None))
    return own.type if own else None, each


def _explicit_seccomp(spec: PodSpec) -> Violation | None:
    own, each = _seccomp_types(spec)
    good = (None, "RuntimeDefault", "Localhost")
    names = [name for name, value in each if value not in good]
    if own in good and not names:
        return None
    values = {value for _name, value in each if value not in good} | ({own} if own not in good else set())
    who = _setters(own not in good, names)
    shown = _quoted(sorted(value or "" for value in values))
    return Violation("seccompProfile", f"{who} must not set securityContext.seccompProfile.type to {shown}")


def _seccomp_annotations(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    """How it was said before there were fields."""
    keys = [_SECCOMP_POD, *(_SECCOMP + container.name for container in _containers(spec))]
    given = {key: meta.annotations[key] for key in keys if key in meta.annotations}
    good = ("runtime/default", "docker/default")
    bad = [f'{key}="{value}"' for key, value in given.items() if value not in good and value[:10] != "localhost/"]
    if not bad:
        return None
    return Violation("seccompProfile", f"forbidden {_plural('annotation', len(bad))} {', '.join(sorted(bad))}")


def _seccomp_baseline(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    return _explicit_seccomp(spec)


def _seccomp_restricted(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    explicit = _explicit_seccomp(spec)
    if explicit is not None:
        return explicit
    own, each = _seccomp_types(spec)
    names = [name for name, value in each if value is None]
    if own is not None or not names:
        return None
    wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"{_setters(True, names, ' or ')} must set {wanted}")


def _sysctls_of(minor: int) -> Check:
    """The check for the parameters that are allowed from a minor version on."""

    def check(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
        given = [item.name for item in (spec.security_context.sysctls if spec.security_context else [])]
        bad = [name for name in given if name not in SAFE_SYSCTLS or _SYSCTLS_SINCE.get(name, 0) > minor]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def _host_process(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    own = spec.security_context.windows_options if spec.security_context else None
    by_pod = bool(own and own.host_process)
    names = _named(
        spec, lambda _item, context: bool(context and context.windows_options and context.windows_options.host_process)
    )
    if not by_pod and not names:
        return None
    who = _setters(by_pod, names)
    return Violation("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true")


def _privilege_escalation(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = _named(spec, lambda _item, context: not context or context.allow_privilege_escalation is not False)
    if not names:
        return None
    details = f"{_which(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", details)


def _but_on_windows(check: Check) -> Check:
    """The check of all pods but those for Windows, which does not know what it is about."""

    def of_others(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
        return None if spec.os is not None and spec.os.name == "windows" else check(meta, spec)

    return of_others


def _capabilities_restricted(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    def keeps(_container: AnyContainer, context: SecurityContext | None) -> bool:
        return not (context and context.capabilities and "ALL" in context.capabilities.drop)

    allowed = {"NET_BIND_SERVICE"}
    keeping = _named(spec, keeps)
    adding = _named(spec, lambda container, _context: bool(set(_added(container)) - allowed))
    parts = [f'{_which(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if adding:
        bad = sorted({name for container in _containers(spec) for name in _added(container)} - allowed)
        parts.append(f"{_which(adding)} must not include {_quoted(bad)} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(parts)) if parts else None


def _restricted_volumes(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
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
    what = f"{_plural('volume', len(names))} {_quoted(names)} {uses} restricted"
    return Violation("restricted volume types", f"{what} {_plural('volume type', len(kinds))} {_quoted(sorted(kinds))}")


def _run_as_non_root(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    if spec.host_users is False:
        return None
    own = spec.security_context.run_as_non_root if spec.security_context else None
    explicit = _named(spec, lambda _item, context: bool(context and context.run_as_non_root is False))
    if own is False or explicit:
        who = _setters(own is False, explicit)
        return Violation("runAsNonRoot != true", f"{who} must not set securityContext.runAsNonRoot=false")
    names = _named(spec, lambda _item, context: not context or context.run_as_non_root is None)
    if own or not names:
        return None
    who = _setters(True, names, " or ")
    return Violation("runAsNonRoot != true", f"{who} must set securityContext.runAsNonRoot=true")


def _run_as_user(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    if spec.host_users is False:
        return None
    own = spec.security_context.run_as_user if spec.security_context else None
    names = _named(spec, lambda _item, context: bool(context and context.run_as_user == 0))
    if own != 0 and not names:
        return None
    return Violation("runAsUser=0", f"{_setters(own == 0, names)} must not set runAsUser=0")


class _Row(NamedTuple):
    """A check of one level and the minor versions that have it: from `since` on, and before `until`."""

    check: Check
    since: int = 0
    until: int = _LATEST + 1
    # From that version on a restricted check takes its place on the restricted level.
    replaced: int = _LATEST + 1


_BASELINE = (
    _Row(_app_armor),
    _Row(_capabilities_baseline, replaced=22),
    _Row(_host_namespaces),
    _Row(_host_path_volumes, replaced=0),
    _Row(_host_ports),
    _Row(_probe_hosts, since=34),
    _Row(_privileged),
    _Row(_proc_mount_restricted, until=35),
    _Row(_proc_mount, since=35, replaced=35),
    _Row(_se_linux_before_1_31, until=31),
    _Row(_se_linux, since=31),
    _Row(_seccomp_annotations, until=19),
    _Row(_seccomp_baseline, since=19, replaced=19),
    *(_Row(_sysctls_of(since), since, until) for since, until in ((0, 27), (27, 29), (29, 32), (32, _LATEST + 1))),
    _Row(_host_process),
)
_RESTRICTED = (
    _Row(_privilege_escalation, since=8, until=25),
    _Row(_but_on_windows(_privilege_escalation), since=25),
    _Row(_capabilities_restricted, since=22, until=25),
    _Row(_but_on_windows(_capabilities_restricted), since=25),
    _Row(_proc_mount_restricted, since=35),
    _Row(_restricted_volumes),
    _Row(_run_as_non_root),
    _Row(_run_as_user, since=23),
    _Row(_seccomp_restricted, since=19, until=25),
    _Row(_but_on_windows(_seccomp_restricted), since=25),
)


@lru_cache(maxsize=64)
def _checks_of(level: str, minor: int) -> tuple[Check, ...]:
    """The checks of a level of a minor version."""
    if level not in ("baseline", "restricted"):
        return ()
    strict = level == "restricted"
    rows = [row for row in _BASELINE if not (strict and row.replaced <= minor)] + [*(_RESTRICTED if strict else ())]
    return tuple(row.check for row in rows if row.since <= minor < row.until)
