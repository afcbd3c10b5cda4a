"""What the server counts while it works: requests, who may, admission, the store, watches and health checks.

Those who work hold on to a small object (`RequestSeries`, `Timing`, `EventCounts`) and add to it, which costs a few
operations on dicts and lists; nothing is spelled out before `metric_families` is asked for /metrics.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.status import StatusError
from pybernetes.api.wire import Channel, Request, Response
from pybernetes.apiserver.request import RELAYED, RequestInfo

REQUEST_BOUNDS = (
    *(0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5),
    *(2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
SIZE_BOUNDS = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_FIRST_SECONDS, _FIRST_SIZE = REQUEST_BOUNDS[0], SIZE_BOUNDS[0]
# Of authentication and authorization.
DECISION_BOUNDS = tuple(0.001 * 2**power for power in range(15))
ADMISSION_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
EVENT_BOUNDS = tuple(1024.0 * 2**power for power in range(8))
_VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
    "connect": "CONNECT",
}
_HEALTH = ("/healthz", "/livez", "/readyz")
_MOST_USERS = 10_000
_APPLY = "application/apply-patch+yaml"
# verb, group, version, resource, sub-resource, scope, and what `_special` says
_Key = tuple[str, str, str, str, str, str, str]
# A plug-in ("" for all together), the operation, and admit or validate.
AdmissionCall = tuple[str, str, str]


class Timing:
    """A histogram."""

    __slots__ = ("_first", "bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self._first = bounds[0]

    def add(self, value: float, times: int = 1) -> None:
        # Nearly all values fall into the first bucket.
        self.counts[0 if value <= self._first else bisect_left(self.bounds, value)] += times
        self.total += value * times


class Repeats:
    """Writes that were admitted as one before them, without anybody being asked: the calls spared, and how often."""

    __slots__ = ("calls", "count")

    def __init__(self, calls: tuple[AdmissionCall, ...]) -> None:
        self.calls = calls
        self.count = 0


class RequestSeries:
    """The requests of one label set: how many by code, how long they took, how large the answers to reads were."""

    __slots__ = ("codes", "dry_run", "labels", "open", "sizes", "terminations", "times")

    def __init__(self, labels: dict[str, str], dry_run: str) -> None:
        # All of upstream's but `dry_run` and `code`.
        self.labels = labels
        self.dry_run = dry_run
        self.codes: dict[int, int] = {}
        self.times = Timing(REQUEST_BOUNDS)
        self.sizes = Timing(SIZE_BOUNDS) if labels["verb"] in ("GET", "LIST") else None
        # Long-running requests that have not ended.
        self.open = 0
        # Requests that were ended in self-defence, by code.
        self.terminations: dict[int, int] = {}

    def add(self, code: int, seconds: float, size: int) -> None:
        """A request has ended."""
        codes = self.codes
        codes[code] = codes.get(code, 0) + 1
        # What `Timing.add` does, without the call: this is for every request there is.
        times, sizes = self.times, self.sizes
        times.counts[0 if seconds <= _FIRST_SECONDS else bisect_left(REQUEST_BOUNDS, seconds)] += 1
        times.total += seconds
        if sizes is not None:
            sizes.counts[0 if size <= _FIRST_SIZE else bisect_left(SIZE_BOUNDS, size)] += 1
            sizes.total += size

    def terminated(self, code: int) -> None:
        self.terminations[code] = self.terminations.get(code, 0) + 1


class EventCounts:
    """What watches of one resource were sent."""

    __slots__ = ("dispatched", "initial", "resource", "sizes", "terminated")

    def __init__(self, group: str, version: str, resource: str) -> None:
        self.resource = (group, version, resource)
        self.sizes = Timing(EVENT_BOUNDS)
        # Events of the states that watches began with.
        self.initial = 0
        self.dispatched = 0
        # Watches that were closed since their clients did not read.
        self.terminated = 0

    def began(self, events: int, size: int) -> None:
        """A watch was sent a part of the state that it begins with."""
        if events:
            self.initial += events
            self.sizes.add(size / events, events)

    def sent(self, events: int, size: int, watches: int) -> None:
        """Some events, `size` bytes in all, went to each of some watches."""
        if events:
            self.dispatched += events
            self.sizes.add(size / events, events * watches)


class Metrics:
    """The numbers of one server. `seconds` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self.requests: dict[_Key, RequestSeries] = {}
        # By result: success, failure or error; allowed or no-opinion.
        self.authentication = {result: Timing(DECISION_BOUNDS) for result in ("success", "error")}
        self.authorization = {result: Timing(DECISION_BOUNDS) for result in ("allowed", "no-opinion")}
        self.known = self.authentication["success"]
        self.allowed = self.authorization["allowed"]
        # By name, "" for those that are too many to be told apart.
        self.users: dict[str, int] = {}
        self._admission: dict[AdmissionCall, tuple[Timing, Timing]] = {}
        self._repeats: dict[tuple[AdmissionCall, ...], Repeats] = {}
        # (operation, group, resource)
        self.storage: dict[tuple[str, str, str], Timing] = {}
        self.storage_errors: dict[tuple[str, str, str], int] = {}
        self.events: dict[tuple[str, str, str], EventCounts] = {}
        # (check, endpoint) -> [failures, successes]; whether it was well the last time
        self.checks: dict[tuple[str, str], list[int]] = {}
        self.checked: dict[tuple[str, str], bool] = {}
        self.mutating_peak: Callable[[], int] = lambda: 0
        self.tls_handshake_errors: Callable[[], int] = lambda: 0

    def series(self, request: Request, info: RequestInfo) -> RequestSeries | None:
        """Where a request is counted; None for what upstream does not count, such as paths that nobody serves."""
        if info.kind is None or (info.child is None and info.subresource):
            return self._health(request) if request.path in _HEALTH else None
        verb = info.verb
        if info.subresource in RELAYED:
            verb = "connect"
        elif verb not in _VERBS:
            # Words that clients make up must not become label values without end.
            verb = "other"
        special = _special(request) if request.query or verb == "patch" else ""
        scope = "resource" if info.name or verb == "create" else "namespace" if info.namespace else "cluster"
        key = (verb, info.group, info.version, info.resource, info.subresource, scope, special)
        found = self.requests.get(key)
        return found if found is not None else self._made(key)

    def _made(self, key: _Key) -> RequestSeries:
        verb, group, version, resource, subresource, scope, special = key
        apply, _, dry_run = special.partition("?")
        labels = {
            "component": "apiserver",
            "group": group,
            "resource": resource,
            "scope": scope,
            "subresource": subresource,
            "verb": apply or _VERBS.get(verb, verb),
            "version": version,
        }
        made = self.requests[key] = RequestSeries(labels, dry_run)
        return made

    def _health(self, request: Request) -> RequestSeries:
        key = ("get", "", "", "", request.path, "", "")
        found = self.requests.get(key)
        if found is None:
            empty = dict.fromkeys(("component", "group", "resource", "scope", "version"), "")
            found = self.requests[key] = RequestSeries({**empty, "subresource": request.path, "verb": "GET"}, "")
        return found

    def long_running(self, series: RequestSeries, response: Response, began: float) -> Response:
        """The response, which is counted as open until its stream or its upgraded connection ends."""
        series.open += 1

        def ended() -> None:
            series.open -= 1
            series.add(response.status, self.seconds() - began, 0)

        if response.upgrade is not None:
            serve = response.upgrade.serve

            async def served(channel: Channel) -> None:
                try:
                    await serve(channel)
                finally:
                    ended()

            return replace(response, upgrade=replace(response.upgrade, serve=served))
        stream: Any = response.stream
        if hasattr(stream, "on_end"):
            # A watch tells of its end itself: most of what the server sends goes through them.
            stream.on_end = ended
            return response
        return replace(response, stream=_Followed(stream, ended))

    def admitted(self, call: AdmissionCall, began: float, *, rejected: bool = False) -> float:
        """An admission plug-in was asked. Gives the time it is now."""
        now = self.seconds()
        (self._admission.get(call) or self._timings(call))[rejected].add(now - began)
        return now

    def repeats(self, calls: tuple[AdmissionCall, ...]) -> Repeats:
        """Where writes are counted that would have been asked about by these calls, and let through."""
        return self._repeats.setdefault(calls, Repeats(calls))

    @property
    def admission(self) -> Mapping[AdmissionCall, tuple[Timing, Timing]]:
        """How long plug-ins took with what they let through, and with what they rejected. Repeats took no time."""
        for repeats in self._repeats.values():
            for call in repeats.calls:
                self._timings(call)[0].add(0.0, repeats.count)
            repeats.count = 0
        return self._admission

    def _timings(self, call: AdmissionCall) -> tuple[Timing, Timing]:
        found = self._admission.get(call)
        if found is None:
            found = self._admission[call] = (Timing(ADMISSION_BOUNDS), Timing(ADMISSION_BOUNDS))
        return found

    @contextmanager
    def admission_step(self, operation: str, half: str) -> Iterator[None]:
        """Times all plug-ins together, under no name."""
        began = self.seconds()
        try:
            yield
        except StatusError:
            self.admitted(("", operation, half), began, rejected=True)
            raise
        self.admitted(("", operation, half), began)

    def stored(self, operation: str, kind: Kind, began: float) -> None:
        """The store has carried out a write."""
        key = (operation, kind.group, kind.resource)
        found = self.storage.get(key)
        if found is None:
            found = self.storage[key] = Timing(REQUEST_BOUNDS)
        found.add(self.seconds() - began)

    def store_failed(self, operation: str, kind: Kind) -> None:
        """The store could not carry out a write."""
        key = (operation, kind.group, kind.resource)
        self.storage_errors[key] = self.storage_errors.get(key, 0) + 1

    def authenticated(self, name: str, began: float) -> None:
        """A request has a user now."""
        users = self.users
        if name not in users and len(users) >= _MOST_USERS:
            name = ""
        users[name] = users.get(name, 0) + 1
        self.known.add(self.seconds() - began)

    def events_of(self, kind: Kind) -> EventCounts:
        """Where the events of a kind are counted."""
        key = (kind.group, kind.version, kind.resource)
        return self.events.setdefault(key, EventCounts(*key))

    def check(self, name: str, endpoint: str, ok: bool) -> None:
        """A health check was made."""
        self.checks.setdefault((name, endpoint), [0, 0])[ok] += 1
        self.checked[name, endpoint] = ok


class _Followed(AsyncIterator[bytes]):
    """A stream that tells when it ends, or is closed."""

    def __init__(self, stream: AsyncIterator[bytes], ended: Callable[[], None]) -> None:
        self._stream = stream
        self._ended: Callable[[], None] | None = ended

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._stream)
        except BaseException:
            self._end()
            raise

    async def aclose(self) -> None:
        self._end()
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    def _end(self) -> None:
        if self._ended is not None:
            self._ended()
            self._ended = None


def _special(request: Request) -> str:
    """What makes a label set of its own: `APPLY`, and after a question mark the dry run."""
    apply = "APPLY" if request.method == "PATCH" and request.headers.get("content-type") == _APPLY else ""
    dry = [value for key, value in request.query if key == "dryRun"]
    if not dry:
        return apply
    return f"{apply}?{'All' if set(dry) == {'All'} else 'invalid'}"
