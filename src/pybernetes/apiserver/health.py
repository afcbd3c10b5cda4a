"""Health: /healthz, /livez and /readyz, whole, in detail (`?verbose`) or one check at a time.

A path and a query go in, a plain-text answer comes out. A check is a function that gives the reason of a failure, None
when all is well; reasons are logged, never shown. Called by `documents`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.discovery import UNCACHED

_log = logging.getLogger(__name__)
Check = Callable[[], str | None]
_TEXT = {"content-type": "text/plain; charset=utf-8", "cache-control": UNCACHED}
_SAFE_TEXT = {**_TEXT, "x-content-type-options": "nosniff"}
# What has been done before the server answers at all; upstream's names, for those who ask for one of them.
_DONE_AT_START = (
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/storage-readiness",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
)


def _well() -> str | None:
    return None


class Health:
    """The checks by endpoint. `checks` are the server's own, such as `etcd`; `shutdown` fails once it is closing."""

    def __init__(self, checks: Mapping[str, Check] | None = None, shutdown: Check = _well) -> None:
        always = {"ping": _well, "log": _well}
        live = {**always, "etcd": _well, **(checks or {}), **dict.fromkeys(_DONE_AT_START, _well)}
        ready = {**always, "informer-sync": _well, **{name: check for name, check in live.items() if name != "etcd"}}
        self._endpoints: dict[str, dict[str, Check]] = {
            "healthz": live,
            "livez": live,
            "readyz": {**ready, "shutdown": shutdown},
        }

    @property
    def paths(self) -> Sequence[str]:
        """The endpoints and all single checks."""
        return [
            path for name, checks in self._endpoints.items() for path in (f"/{name}", *(f"/{name}/{c}" for c in checks))
        ]

    def answer(self, request: Request) -> Response | None:
        """The answer of an endpoint or a check; None for a path that is neither."""
        _, _, path = request.path.partition("/")
        endpoint, _, name = path.partition("/")
        checks = self._endpoints.get(endpoint)
        if checks is None:
            return None
        if not name:
            return _all(endpoint, checks, request)
        check = checks.get(name)
        if check is None:
            return None
        reason = check()
        if reason is None:
            return Response(200, _TEXT, b"ok")
        return Response(500, _SAFE_TEXT, f"internal server error: {reason}\n".encode())


def _all(endpoint: str, checks: Mapping[str, Check], request: Request) -> Response:
    """All checks but the excluded ones; the details of a failure are always shown."""
    excluded = {value for key, value in request.query if key == "exclude"}
    lines, failed = [], []
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok")
        elif (reason := check()) is None:
            lines.append(f"[+]{name} ok")
        else:
            lines.append(f"[-]{name} failed: reason withheld")
            failed.append(f"{name}: {reason}")
    if unknown := sorted(excluded - checks.keys()):
        quoted = ", ".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    if failed:
        _log.warning("%s check failed: %s", endpoint, "; ".join(failed))
        return Response(500, _SAFE_TEXT, "\n".join([*lines, f"{endpoint} check failed", ""]).encode())
    if not any(key == "verbose" for key, _value in request.query):
        return Response(200, _SAFE_TEXT, b"ok")
    return Response(200, _SAFE_TEXT, "\n".join([*lines, f"{endpoint} check passed", ""]).encode())
