"""What can go wrong besides an answer of the API server that is a failure (`api.status.StatusError`).

Transports raise `Unreachable`; `Client.watch` raises `Expired`, which is a `StatusError` too; configuration raises
`ConfigError`.
"""

from __future__ import annotations

from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.meta_v1 import Status
from pybernetes.environment.refusal import Refused


class Unreachable(Exception):
    """No answer could be had: refused, timed out, or the connection broke half-way.

    `sent` tells whether the server may have seen the request, and so may have done it.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class Expired(StatusError):
    """The revision that a watch or a list wanted to go on from has been compacted: list again."""


class ConfigError(Refused):
    """A kubeconfig or a service-account folder that cannot be used; the message says which part and why."""


def error_of(status: Status, headers: dict[str, str] | None = None) -> StatusError:
    """The exception of a `Status`: `Expired` for 410, else a plain `StatusError`."""
    return Expired(status, headers) if status.code == 410 else StatusError(status, headers)


def error_of_text(code: int, text: str) -> StatusError:
    """The exception of a failure whose body is no `Status`, such as a proxy's."""
    return failure(code, _REASONS.get(code, "Unknown"), text.strip() or f"the server answered {code}")


_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Gone",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
