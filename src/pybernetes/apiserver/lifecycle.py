"""Where a server is on its way down: serving, ending (not ready, but serving), draining (taking no new requests).

`shutdown` moves it on; `health` and the pipeline ask. `refused` is the answer to requests that come too late.
"""

from __future__ import annotations

from pybernetes.api.wire import Request, Response

_RETRY_SECONDS = "1"
# Long enough to find another server.
_RETRY_ELSEWHERE_SECONDS = "5"
_LATE = (
    b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
    b'"message":"apiserver is shutting down","reason":"ServiceUnavailable","code":503}\n'
)
_ELSEWHERE = b"The apiserver is shutting down, please try again later.\n"
# Asked for until the last moment, by those who want to know whether it has come.
_ALWAYS_ANSWERED = ("/readyz", "/livez", "/healthz", "/metrics")


class Lifecycle:
    """A server's; `send_retry_after` is the flag --shutdown-send-retry-after."""

    def __init__(self, send_retry_after: bool = False) -> None:
        self.is_ending = False
        self.is_draining = False
        self.send_retry_after = send_retry_after

    def begin_to_end(self) -> None:
        """From now on the server is not ready."""
        self.is_ending = True

    def drain(self) -> None:
        """From now on it takes no new requests."""
        self.is_ending = self.is_draining = True

    async def check(self) -> str | None:
        """The readiness check `shutdown`."""
        return "process is shutting down" if self.is_ending else None

    def refused(self, request: Request) -> Response | None:
        """What a request is told that comes while the server drains; None for those that are answered all the same."""
        if request.path.startswith(_ALWAYS_ANSWERED):
            return None
        safe = {"x-content-type-options": "nosniff", "connection": "close"}
        if self.send_retry_after:
            headers = {**safe, "content-type": "text/plain; charset=utf-8", "retry-after": _RETRY_ELSEWHERE_SECONDS}
            return Response(429, headers, _ELSEWHERE)
        headers = {**safe, "content-type": "application/json", "retry-after": _RETRY_SECONDS}
        return Response(503, {**headers, "cache-control": "no-cache, private"}, _LATE)
