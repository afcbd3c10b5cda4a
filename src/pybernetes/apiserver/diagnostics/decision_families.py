"""The families of /metrics about decisions: who asks, whether they may, and what admission plug-ins say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pybernetes.apiserver.diagnostics.distributions import shown
from pybernetes.apiserver.diagnostics.exposition import Family, labels
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.diagnostics.series import Timing

_KNOWN_USERS = ("admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default")


def decision_families(metrics: Metrics) -> Iterator[Family]:
    """All that is told of decisions."""
    yield from _attempts(
        "authentication_attempts",
        "authentication_duration_seconds",
        metrics.authentication,
        "[ALPHA] Counter of authenticated attempts.",
        "[ALPHA] Authentication duration in seconds broken out by result.",
    )
    yield from _attempts(
        "authorization_attempts_total",
        "authorization_duration_seconds",
        metrics.authorization,
        "[ALPHA] Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied',"
        " 'no-opinion' or 'error'.",
        "[ALPHA] Authorization duration in seconds broken out by result.",
    )
    yield _users(metrics)
    yield from _admission(metrics)


def _attempts(
    attempts: str, duration: str, timings: Mapping[str, Timing], attempts_help: str, duration_help: str
) -> Iterator[Family]:
    counted = {result: timing for result, timing in timings.items() if any(timing.counts)}
    counts = {labels(result=result): sum(timing.counts) for result, timing in counted.items()}
    yield Family(attempts, "counter", attempts_help, counts)
    times = {labels(result=result): shown(timing) for result, timing in counted.items()}
    yield Family(duration, "histogram", duration_help, times)


def _users(metrics: Metrics) -> Family:
    users: dict[str, int] = {}
    for name, count in metrics.users.items():
        users[_category(name)] = users.get(_category(name), 0) + count
    return Family(
        "authenticated_user_requests",
        "counter",
        "[ALPHA] Counter of authenticated requests broken out by username.",
        {labels(username=name): count for name, count in users.items()},
    )


def _category(user: str) -> str:
    """Users as upstream tells them apart: names are nobody's business."""
    if user in _KNOWN_USERS:
        return user
    return "email_id" if "@" in user else "other"


def _admission(metrics: Metrics) -> Iterator[Family]:
    yield Family(
        "apiserver_admission_controller_admission_duration_seconds",
        "histogram",
        "[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for each"
        " operation and API resource and type (validate or admit).",
        {
            labels(name=name, operation=operation, type=half, rejected=str(bool(rejected)).lower()): shown(timing)
            for (name, operation, half), both in metrics.admission.items()
            for rejected, timing in enumerate(both)
            if name and any(timing.counts)
        },
    )
    yield Family(
        "apiserver_admission_step_admission_duration_seconds",
        "histogram",
        "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API resource and"
        " step type (validate or admit).",
        {
            labels(operation=operation, type=half, rejected=str(bool(rejected)).lower()): shown(timing)
            for (name, operation, half), both in metrics.admission.items()
            for rejected, timing in enumerate(both)
            if not name and any(timing.counts)
        },
    )
