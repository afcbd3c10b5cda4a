"""Health: /healthz, /livez and /readyz, whole, in detail (`?verbose`) or one check at a time.

A request goes in, a plain-text answer comes out. A check gives the reason of a failure, None when all is well; of a
whole endpoint reasons are logged, never shown. Called by `endpoints`; /metrics/slis shows what was found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.discovery import UNCACHED
from pybernetes.store.contract import Store
from pybernetes.store.errors import StoreError, StoreFull

_log = logging.getLogger(__name__)
Check = Callable[[], Awaitable[str | None]]
# (check, endpoint, whether all was well)
Observe = Callable[[str, str, bool], None]
_TEXT = {"content-type": "text/plain; charset=utf-8", "cache-control": UNCACHED}
_SAFE_TEXT = {**_TEXT, "x-content-type-options": "nosniff"}
# Upstream's --etcd-healthcheck-timeout.
_STORE_SECONDS = 2.0
# Upstream's steps of starting, in its order. Here they are done before the server answers at all, or stand for parts
# that keep nothing of their own which could be unwell; probes and dashboards ask for them by name.
_STARTED = (
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/aggregator-reload-proxy-client-cert",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-wait-for-first-sync",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
)


async def _well() -> str | None:
    return None


class StoreCheck:
    """Whether the store answers in time. However many ask, there is one question under way."""

    def __init__(self, store: Store, seconds: float = _STORE_SECONDS) -> None:
        self._store = store
        self._seconds = seconds
        self._asking: asyncio.Task[str | None] | None = None

    async def __call__(self) -> str | None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        asking = self._asking
        # It goes on when nobody waits any more: a store that stalls is not asked again until it has answered.
        await asyncio.wait({asking}, timeout=self._seconds)
        return asking.result() if asking.done() else "error getting data from etcd: context deadline exceeded"

    async def _ask(self) -> str | None:
        try:
            await self._store.reach()
        except StoreFull:
            # It answers, and what it holds can be read.
            return None
        except StoreError as error:
            return f"error getting data from etcd: {error}"
        return None


class Health:
    """The checks by endpoint. `store` is for /healthz and /livez, `synced` and `shutdown` for /readyz."""

    def __init__(
        self, store: Check = _well, synced: Check = _well, shutdown: Check = _well, observe: Observe | None = None
    ) -> None:
        # A log that blocks would block the answer as well.
        always = {"ping": _well, "log": _well}
        started = dict.fromkeys(_STARTED, _well)
        live = {**always, "loopback-serving-certificate": _well, "etcd": store, **started}
        self._endpoints: dict[str, dict[str, Check]] = {
            "healthz": live,
            "livez": live,
            "readyz": {**always, "informer-sync": synced, **started, "shutdown": shutdown},
        }
        self._observe = observe or (lambda _check, _endpoint, _ok: None)

    @property
    def paths(self) -> Sequence[str]:
        """The endpoints and all single checks."""
        return [
            path for name, checks in self._endpoints.items() for path in (f"/{name}", *(f"/{name}/{c}" for c in checks))
        ]

    async def answer(self, request: Request) -> Response | None:
        """The answer of an endpoint or a check; None for a path that is neither."""
        _, _, path = request.path.partition("/")
        endpoint, _, name = path.partition("/")
        checks = self._endpoints.get(endpoint)
        if checks is None:
            return None
        if not name:
            return await self._all(endpoint, checks, request)
        check = checks.get(name)
        if check is None:
            return None
        reason = await check()
        if reason is None:
            return Response(200, _TEXT, b"ok")
        return Response(500, _SAFE_TEXT, f"internal server error: {reason}\n".encode())

    async def _all(self, endpoint: str, checks: Mapping[str, Check], request: Request) -> Response:
        """All checks but the excluded ones; the details of a failure are always shown."""
        excluded = {value for key, value in request.query if key == "exclude"}
        lines, failed = [], []
        for name, check in checks.items():
            if name in excluded:
                lines.append(f"[+]{name} excluded: ok")
                continue
            reason = await check()
            self._observe(name, endpoint, reason is None)
            if reason is None:
                lines.append(f"[+]{name} ok")
            else:
                lines.append(f"[-]{name} failed: reason withheld")
                failed.append(f"{name}: {reason}")
        if unknown := sorted(excluded - checks.keys()):
            quoted = ",".join(f'"{name}"' for name in unknown)
            lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
        if failed:
            _log.warning("%s check failed: %s", endpoint, "; ".join(failed))
            return Response(500, _SAFE_TEXT, "\n".join([*lines, f"{endpoint} check failed", ""]).encode())
        if not any(key == "verbose" for key, _value in request.query):
            return Response(200, _SAFE_TEXT, b"ok")
        return Response(200, _SAFE_TEXT, "\n".join([*lines, f"{endpoint} check passed", ""]).encode())
