"""Rules for probes and life-cycle hooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pybernetes.api.names import http_header_name, port_number
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    Probe,
    SleepAction,
    TCPSocketAction,
)
from pybernetes.apiserver.resources.validation.numbers import not_negative
from pybernetes.apiserver.resources.validation.ports import named_port
from pybernetes.apiserver.resources.validation.texts import obeys, one_of

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
    grace, where = probe.termination_grace_period_seconds, f"{path}.terminationGracePeriodSeconds"
    if grace is not None and grace <= 0:
        errors.append(invalid(where, grace, "must be greater than 0"))
    if kind == "readinessProbe":
        if grace is not None:
            errors.append(invalid(where, grace, "must not be set for readinessProbes"))
    elif probe.success_threshold != 1:
        errors.append(invalid(f"{path}.successThreshold", probe.success_threshold, "must be 1"))
    return errors


def _validate_action(action: Probe | LifecycleHandler, path: str, grace_seconds: int = 0) -> list[FieldError]:
    """One way to act, and that complete; of those that are too many no more is said."""
    rows = _WAYS
    if isinstance(action, LifecycleHandler):
        rows = (*_WAYS, ("sleep", "sleep", partial(_validate_sleep, grace_seconds)))
    ways = [
        (given, f"{path}.{name}", rule)
        for attribute, name, rule in rows
        if (given := getattr(action, attribute, None)) is not None
    ]
    if not ways:
        return [required(path, _NO_HANDLER)]
    given, where, rule = ways[0]
    return rule(given, where) + [forbidden_field(where, _ONE_HANDLER) for _, where, _ in ways[1:]]


def _validate_sleep(grace_seconds: int, action: SleepAction, path: str) -> list[FieldError]:
    """A sleep must end before the pod's grace does."""
    if 0 <= action.seconds <= grace_seconds:
        return []
    detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
    return [invalid(path, action.seconds, detail)]


def _validate_exec(action: ExecAction, path: str) -> list[FieldError]:
    return [] if action.command else [required(f"{path}.command")]


def _validate_http(action: HTTPGetAction, path: str) -> list[FieldError]:
    errors = [] if action.path else [required(f"{path}.path")]
    errors += named_port(action.port, f"{path}.port")
    errors += one_of(action.scheme, ("HTTP", "HTTPS"), f"{path}.scheme")
    for header in action.http_headers:
        errors += obeys(header.name, http_header_name, f"{path}.httpHeaders")
    return errors


def _validate_tcp(action: TCPSocketAction, path: str) -> list[FieldError]:
    return named_port(action.port, f"{path}.port")


def _validate_grpc(action: GRPCAction, path: str) -> list[FieldError]:
    return obeys(action.port, port_number, f"{path}.port")


# What probes and hooks do, by attribute, name and rule; probes alone know gRPC.
_WAYS: tuple[tuple[str, str, Callable[[Any, str], list[FieldError]]], ...] = (
    ("exec", "exec", _validate_exec),
    ("http_get", "httpGet", _validate_http),
    ("tcp_socket", "tcpSocket", _validate_tcp),
    ("grpc", "grpc", _validate_grpc),
)


def validate_lifecycle(lifecycle: Lifecycle, path: str, grace_seconds: int) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, handler in (("postStart", lifecycle.post_start), ("preStop", lifecycle.pre_stop)):
        if handler is not None:
            errors += _validate_action(handler, f"{path}.{name}", grace_seconds)
    return errors
