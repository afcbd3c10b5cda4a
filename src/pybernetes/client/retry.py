"""When a request is worth sending again, and after how long: a pure decision that `Client` asks after each failure.

A server that says 429 or 5xx with Retry-After has not done the request, so any verb may go again. No answer at all is
different: only reads are repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

from pybernetes.api.status import StatusError
from pybernetes.client.errors import Unreachable


@dataclass(frozen=True)
class Retry:
    """How patient a client is; `Retry(attempts=1)` never asks twice."""

    attempts: int = 5
    first: float = 0.1  # seconds before the second try of a read that got no answer; doubles from there
    longest: float = 30.0  # seconds; a longer Retry-After is cut to it

    def delay(self, method: str, failure: StatusError | Unreachable, attempt: int) -> float | None:
        """Seconds to wait after the `attempt`-th try (from 1) has failed; None when it is to be given up."""
        if attempt >= self.attempts:
            return None
        if isinstance(failure, Unreachable):
            return min(self.first * 2 ** (attempt - 1), self.longest) if method == "GET" else None
        if failure.code != 429 and failure.code < 500:
            return None
        asked = _seconds(failure)
        return None if asked is None else min(asked, self.longest)


def _seconds(failure: StatusError) -> float | None:
    """What Retry-After says, in the header or in the status; only whole seconds are ever sent."""
    text = failure.headers.get("retry-after", "")
    if text.isdigit():
        return float(text)
    details = failure.status.details
    return float(details.retry_after_seconds) if details and details.retry_after_seconds else None
