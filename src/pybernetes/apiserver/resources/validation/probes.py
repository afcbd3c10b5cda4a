"""Rules for probes and life-cycle hooks."""

from __future__ import annotations

from pybernetes.api.names import http_header_name, port_name, port_number, qualified_name
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.struct import IntOrString
from pybernetes.api.types.core_v1 import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    Probe,
    TCPSocketAction,
)
from pybernetes.apiserver.resources.validation.numbers import not_negative

_NO_HANDLER = "must specify a handler type"
_ONE_HANDLER = "may not specify more than 1 handler type"


def validate_probe(probe: Probe, path: str, *, kind: str) -> list[FieldError]:
    """`kind` is the field that holds the probe, such as `livenessProbe`."""
    errors = _validate_action(probe, path)
    for name, value in (
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ):
        errors += not_negative(value, f"{path}.{name}")
    grace = probe.termination_grace_period_seconds
    where = f"{path}.terminationGracePeriodSeconds"
    if grace is not None and grace <= 0:
        errors.append(invalid(where, grace, "must be greater than 0"))
    if kind == "readinessProbe":
        if grace is not None:
            errors.append(invalid(where, grace, "must not be set for readinessProbes"))
    elif probe.success_threshold != 1:
        errors.append(invalid(f"{path}.successThreshold", probe.success_threshold, "must be 1"))
    return errors


def _validate_action(action: Probe | LifecycleHandler, path: str, grace_seconds: int = 0) -> list[FieldError]:
    errors: list[FieldError] = []
    count = 0
    if action.exec is not None:
        count += 1
        errors += _validate_exec(action.exec, f"{path}.exec")
    if action.http_get is not None:
        if count:
            errors.append(forbidden_field(f"{path}.httpGet", _ONE_HANDLER))
        else:
            count += 1
            errors += _validate_http(action.http_get, f"{path}.httpGet")
    if action.tcp_socket is not None:
        if count:
            errors.append(forbidden_field(f"{path}.tcpSocket", _ONE_HANDLER))
        else:
            count += 1
            errors += _validate_tcp(action.tcp_socket, f"{path}.tcpSocket")
    grpc = action.grpc if isinstance(action, Probe) else None
    if grpc is not None:
        if count:
            errors.append(forbidden_field(f"{path}.grpc", _ONE_HANDLER))
        else:
            count += 1
            errors += _validate_grpc(grpc, f"{path}.grpc")
    sleep = action.sleep if isinstance(action, LifecycleHandler) else None
    if sleep is not None:
        if count:
            errors.append(forbidden_field(f"{path}.sleep", _ONE_HANDLER))
        else:
            count += 1
            errors += _validate_sleep(sleep.seconds, grace_seconds, f"{path}.sleep")
    if not count:
        errors.append(required(path, _NO_HANDLER))
    return errors


def _validate_sleep(seconds: int, grace_seconds: int, path: str) -> list[FieldError]:
    """A sleep must end before the pod's grace does."""
    if 0 <= seconds <= grace_seconds:
        return []
    detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
    return [invalid(path, seconds, detail)]


def _validate_exec(action: ExecAction, path: str) -> list[FieldError]:
    return [] if action.command else [required(f"{path}.command")]


def _validate_http(action: HTTPGetAction, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not action.path:
        errors.append(required(f"{path}.path"))
    errors += named_port(action.port, f"{path}.port")
    if action.scheme not in ("HTTP", "HTTPS"):
        errors.append(not_supported(f"{path}.scheme", action.scheme, ("HTTP", "HTTPS")))
    for header in action.http_headers:
        errors += (invalid(f"{path}.httpHeaders", header.name, text) for text in http_header_name(header.name))
    return errors


def _validate_tcp(action: TCPSocketAction, path: str) -> list[FieldError]:
    return named_port(action.port, f"{path}.port")


def _validate_grpc(action: GRPCAction, path: str) -> list[FieldError]:
    return [invalid(f"{path}.port", action.port, text) for text in port_number(action.port)]


def named_port(port: IntOrString | None, path: str) -> list[FieldError]:
    """A port by number, or by the name that a container gives it."""
    if isinstance(port, str):
        return [invalid(path, port, text) for text in port_name(port)]
    return [invalid(path, port or 0, text) for text in port_number(port or 0)]


def validate_lifecycle(lifecycle: Lifecycle, path: str, grace_seconds: int) -> list[FieldError]:
    """Both hooks."""
    errors: list[FieldError] = []
    for name, handler in (("postStart", lifecycle.post_start), ("preStop", lifecycle.pre_stop)):
        if handler is None:
            continue
        errors += _validate_action(handler, f"{path}.{name}", grace_seconds)
    return errors


def validate_gate(name: str, path: str) -> list[FieldError]:
    """Readiness and scheduling gates are qualified names."""
    return [invalid(path, name, text) for text in qualified_name(name)]
