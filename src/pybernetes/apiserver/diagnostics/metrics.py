"""What the server counts while it works: requests, who may, admission, the store, watches and health checks.

Those who work are given a small object of `series` to add to; nothing is spelled out before `metric_families` is asked
for /metrics.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.status import StatusError
from pybernetes.api.wire import Channel, Request, Response
from pybernetes.apiserver.diagnostics.series import (
    ADMISSION_BOUNDS,
    DECISION_BOUNDS,
    REQUEST_BOUNDS,
    AdmissionCall,
    EventCounts,
    Repeats,
    RequestSeries,
    Timing,
)
from pybernetes.apiserver.request import RELAYED, RequestInfo

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
