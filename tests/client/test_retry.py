"""Which failures are tried again, and when."""

import pytest

from pybernetes.api.status import StatusError, failure
from pybernetes.client.errors import Unreachable
from pybernetes.client.retry import Retry


def refused(code: int, retry_after: str = "") -> StatusError:
    status = failure(code, "TooManyRequests", "slow down").status
    return StatusError(status, {"retry-after": retry_after} if retry_after else {})


@pytest.mark.parametrize(
    ("method", "error", "attempt", "expected"),
    [
        ("POST", refused(429, "2"), 1, 2.0),
        ("POST", refused(503, "1"), 1, 1.0),
        ("POST", refused(429), 1, None),  # eviction's 429: the budget is for the caller to wait for
        ("POST", refused(409, "1"), 1, None),
        ("GET", refused(429, "9999"), 1, 30.0),
        ("GET", refused(429, "1"), 5, None),
        ("GET", Unreachable("gone"), 1, 0.1),
        ("GET", Unreachable("gone"), 3, 0.4),
        ("POST", Unreachable("gone"), 1, None),
        ("GET", refused(404), 1, None),
    ],
)
def test_delay(method: str, error: StatusError | Unreachable, attempt: int, expected: float | None) -> None:
    assert Retry().delay(method, error, attempt) == expected
