"""What the level baseline of the Pod Security Standards forbids.

Each check takes a pod's metadata and spec and answers None or a violation, in upstream's words. Called by `levels`.
"""

from __future__ import annotations

from collections.abc import Collection

from pybernetes.api.sysctls import SAFE_SYSCTLS
from pybernetes.api.types.core_v1 import PodSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.admission_plugins.pod_security_standards.fields import explicit_seccomp, masked_proc_mount
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


def app_armor(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
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
    for container in containers(spec):
        profile = container.security_context.app_armor_profile if container.security_context else None
        if profile is not None and bad(profile.type):
            names.append(container.name)
            values.add(profile.type)
    who = [text for text in (setters(own is not None and bad(own.type), names),) if text]
    who += [plural("annotation", len(forbidden))] if forbidden else []
    if not who:
        return None
    shown = sorted(values) + [f'{key}="{value}"' for key, value in sorted(forbidden.items())]
    details = f"{' and '.join(who)} must not set AppArmor profile type to {quoted(shown)}"
    return Violation(plural("forbidden AppArmor profile", len(shown)), details)


def capabilities(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    bad = {name for container in containers(spec) for name in added(container)} - _BASELINE_CAPABILITIES
    if not bad:
        return None
    names = named(spec, lambda container, _context: bool(bad & set(added(container))))
    details = f"{which(names)} must not include {quoted(sorted(bad))} in securityContext.capabilities.add"
    return Violation("non-default capabilities", details)


def host_namespaces(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    parts = (("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc))
    used = [f"{name}=true" for name, value in parts if value]
    return Violation("host namespaces", ", ".join(used)) if used else None


def host_path_volumes(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = [volume.name for volume in spec.volumes if volume.host_path is not None]
    return Violation("hostPath volumes", f"{plural('volume', len(names))} {quoted(names)}") if names else None


def host_ports(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = named(spec, lambda container, _context: any(port.host_port for port in container.ports))
    if not names:
        return None
    ports = sorted({port.host_port for item in containers(spec) for port in item.ports if port.host_port})
    uses = "uses" if len(names) == 1 else "use"
    listed = ", ".join(str(port) for port in ports)
    return Violation("hostPort", f"{which(names)} {uses} {plural('hostPort', len(ports))} {listed}")


def _hosts(container: AnyContainer) -> set[str]:
    probes = (container.liveness_probe, container.readiness_probe, container.startup_probe)
    hooks = (container.lifecycle.post_start, container.lifecycle.pre_stop) if container.lifecycle else ()
    actions = [action for probe in probes if probe for action in (probe.http_get, probe.tcp_socket)]
    actions += [action for hook in hooks if hook for action in (hook.http_get, hook.tcp_socket)]
    return {action.host for action in actions if action and action.host}


def probe_hosts(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = named(spec, lambda container, _context: bool(_hosts(container)))
    if not names:
        return None
    hosts = sorted({host for container in containers(spec) for host in _hosts(container)})
    uses = "uses" if len(names) == 1 else "use"
    details = f"{which(names)} {uses} probe or lifecycle {plural('host', len(hosts))} {quoted(hosts)}"
    return Violation("probe or lifecycle host", details)


def privileged(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    names = named(spec, lambda _container, context: bool(context and context.privileged))
    return Violation("privileged", f"{which(names)} must not set securityContext.privileged=true") if names else None


def proc_mount(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    # Within a user namespace of its own a pod may see an unmasked /proc.
    return None if spec.host_users is False else masked_proc_mount(meta, spec)


def se_linux(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    return _se_linux_beyond((*_SE_LINUX_TYPES, "container_engine_t"), spec)


def se_linux_before_1_31(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    return _se_linux_beyond(_SE_LINUX_TYPES, spec)


def _se_linux_beyond(allowed: Collection[str], spec: PodSpec) -> Violation | None:
    pod_options = spec.security_context.se_linux_options if spec.security_context else None
    every = [("", pod_options)]
    for container in containers(spec):
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
    parts = [f"{plural('type', len(types))} {quoted(types)}"] if types else []
    parts += ["user may not be set"] if any(options.user for _name, options in bad) else []
    parts += ["role may not be set"] if any(options.role for _name, options in bad) else []
    who = setters(any(not name for name, _options in bad), [name for name, _options in bad if name])
    return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(parts)}")


def seccomp_annotations(meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    """How it was said before there were fields."""
    keys = [_SECCOMP_POD, *(_SECCOMP + container.name for container in containers(spec))]
    given = {key: meta.annotations[key] for key in keys if key in meta.annotations}
    good = ("runtime/default", "docker/default")
    bad = [f'{key}="{value}"' for key, value in given.items() if value not in good and value[:10] != "localhost/"]
    if not bad:
        return None
    return Violation("seccompProfile", f"forbidden {plural('annotation', len(bad))} {', '.join(sorted(bad))}")


def seccomp(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    return explicit_seccomp(spec)


def sysctls_of(minor: int) -> Check:
    """The check for the parameters that are allowed from a minor version on."""

    def check(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
        given = [item.name for item in (spec.security_context.sysctls if spec.security_context else [])]
        bad = [name for name in given if name not in SAFE_SYSCTLS or _SYSCTLS_SINCE.get(name, 0) > minor]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def host_process(_meta: ObjectMeta, spec: PodSpec) -> Violation | None:
    own = spec.security_context.windows_options if spec.security_context else None
    by_pod = bool(own and own.host_process)
    names = named(
        spec, lambda _item, context: bool(context and context.windows_options and context.windows_options.host_process)
    )
    if not by_pod and not names:
        return None
    who = setters(by_pod, names)
    return Violation("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true")
