"""Counts of requests, in the text form that Prometheus reads, under upstream's names.

The pipeline wraps every answer in `measured`; /metrics calls `text`. Numbers live in dicts keyed by label values, so
that counting costs a look-up.
"""

from __future__ import annotations

import resource
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path

from pybernetes.api.wire import Response
from pybernetes.apiserver.request import RequestInfo

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (
    *(0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5),
    *(2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
_MUTATING = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_VERBS = _MUTATING | {"get", "list", "watch", "post", "put", "head", "options", "connect"}
# (verb, resource, subresource, scope)
_Labels = tuple[str, str, str, str]


class _Histogram:
    """How long requests of one label set took."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BUCKETS, seconds)] += 1
        self.total += seconds


class Metrics:
    """The numbers of one server."""

    def __init__(self, seconds: Callable[[], float], watches: Callable[[], int] = lambda: 0) -> None:
        """`seconds` is a clock that never goes back; `watches` tells how many watches are open."""
        self._seconds = seconds
        self._watches = watches
        self._requests: dict[tuple[_Labels, int], int] = {}
        self._durations: dict[_Labels, _Histogram] = {}
        self._running = {"mutating": 0, "readOnly": 0}

    async def measured(self, info: RequestInfo, answer: Awaitable[Response]) -> Response:
        """The answer, counted; a stream counts until it begins."""
        kind = "mutating" if info.verb in _MUTATING else "readOnly"
        began = self._seconds()
        self._running[kind] += 1
        try:
            response = await answer
        finally:
            self._running[kind] -= 1
        # Words that clients make up must not become label values without end.
        verb = info.verb if info.verb in _VERBS else "other"
        resource = info.kind.group_resource if info.kind is not None else ""
        subresource = info.child.name if info.child is not None else ""
        scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
        self.observe(verb, resource, subresource, scope, response.status, self._seconds() - began)
        return response

    def observe(self, verb: str, resource: str, subresource: str, scope: str, code: int, seconds: float) -> None:  # noqa: PLR0913 - the label set
        """A request was answered; `scope` is resource, namespace or cluster."""
        labels = (verb, resource, subresource, scope)
        self._requests[labels, code] = self._requests.get((labels, code), 0) + 1
        if verb == "watch":
            return
        histogram = self._durations.get(labels)
        if histogram is None:
            histogram = self._durations[labels] = _Histogram()
        histogram.add(seconds)

    def text(self) -> str:
        """All metrics, with those of the process."""
        return "".join(line + "\n" for line in (*self._request_lines(), *self._running_lines(), *_process_lines()))

    def _request_lines(self) -> Iterator[str]:
        yield from _head("apiserver_request_total", "counter", "Requests by verb, resource, scope and code.")
        for (labels, code), count in self._requests.items():
            yield f"apiserver_request_total{_braces(_named(labels) | {'code': str(code)})} {count}"
        name = "apiserver_request_duration_seconds"
        yield from _head(name, "histogram", "Seconds until requests were answered.")
        for labels, histogram in self._durations.items():
            named = _named(labels)
            bounds = (*(f"{bound:g}" for bound in _BUCKETS), "+Inf")
            for bound, count in zip(bounds, accumulate(histogram.counts), strict=True):
                yield f"{name}_bucket{_braces(named | {'le': bound})} {count}"
            yield f"{name}_sum{_braces(named)} {histogram.total:.9g}"
            yield f"{name}_count{_braces(named)} {sum(histogram.counts)}"

    def _running_lines(self) -> Iterator[str]:
        yield from _head("apiserver_current_inflight_requests", "gauge", "Requests that are being answered.")
        for kind, count in self._running.items():
            yield f'apiserver_current_inflight_requests{{request_kind="{kind}"}} {count}'
        yield from _head("apiserver_longrunning_requests", "gauge", "Watches that are open.")
        yield f'apiserver_longrunning_requests{{component="apiserver",verb="WATCH"}} {self._watches()}'


def _head(name: str, type_: str, help_: str) -> Iterable[str]:
    return f"# HELP {name} {help_}", f"# TYPE {name} {type_}"


def _named(labels: _Labels) -> dict[str, str]:
    verb, name, subresource, scope = labels
    shown = {"deletecollection": "DELETECOLLECTION", "create": "POST", "update": "PUT"}.get(verb, verb.upper())
    group_resource, _, group = name.partition(".")
    named = {"component": "apiserver", "group": group, "resource": group_resource, "scope": scope}
    return {**named, "subresource": subresource, "verb": shown}


def _braces(labels: Mapping[str, str]) -> str:
    """Labels in the order of their names; their values are our own words, which need no escaping."""
    return "{" + ",".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def _process_lines() -> Iterator[str]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield from _head("process_cpu_seconds_total", "counter", "User and system time of the process, in seconds.")
    yield f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.3f}"
    yield from _head("process_resident_memory_bytes", "gauge", "Memory that the process holds, in bytes.")
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    yield f"process_resident_memory_bytes {pages * resource.getpagesize()}"
