"""How the server is: health checks, /metrics, /metrics/slis, /statusz, /flagz and /debug.

`documents` hands over what is neither discovery nor OpenAPI; an answer comes out, or None for other paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pybernetes.api.types.version import Info
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.compression import gzipped
from pybernetes.apiserver.diagnostics import zpages
from pybernetes.apiserver.diagnostics.health import Health
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.discovery import UNCACHED
from pybernetes.apiserver.registry import Registry
from pybernetes.environment.clock import Clock
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.diagnostics import debugging, exposition, metric_families, process_metrics

_LISTED = ("/flagz", "/metrics", "/metrics/slis", "/statusz")
_SHOWN_PATHS = ("/healthz", "/livez", "/metrics", "/readyz", "/statusz", "/version")


class Diagnostics:
    """Of one server. `flags` are those in force, as text; without `profiling` there is no /debug."""

    def __init__(self, health: Health, metrics: Metrics, registry: Registry, version: Info, clock: Clock) -> None:
        self._health = health
        self._metrics = metrics
        self._registry = registry
        self._clock = clock
        self._facts = zpages.Facts(version, clock.now(), _SHOWN_PATHS)
        self.flags: Mapping[str, str] = {}
        self.profiling = True

    @property
    def paths(self) -> Sequence[str]:
        """Those that the list at / shows."""
        return [*self._health.paths, *_LISTED]

    async def answer(self, request: Request) -> Response | None:
        match request.path:
            case "/metrics":
                return self._exposed(request, self._everything)
            case "/metrics/slis":
                return self._exposed(request, lambda: metric_families.checks(self._metrics))
            case "/statusz":
                return zpages.statusz(request, self._facts, self._clock.now())
            case "/flagz":
                return zpages.flagz(request, self.flags)
        if request.path.startswith("/debug/"):
            return debugging.answer(request) if self.profiling else None
        return await self._health.answer(request)

    def _everything(self) -> Iterable[exposition.Family]:
        yield from metric_families.families(self._metrics, self._registry, self._facts.version)
        yield from process_metrics.families()

    @staticmethod
    def _exposed(request: Request, families: Callable[[], Iterable[exposition.Family]]) -> Response:
        """The text form, whatever else is accepted, as upstream's handler has no other switched on."""
        headers = {"content-type": exposition.CONTENT_TYPE, "cache-control": UNCACHED}
        body = exposition.text(families()).encode()
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(200, {**headers, "content-encoding": "gzip"}, gzipped(body))
        return Response(200, headers, body)
