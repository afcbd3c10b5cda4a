"""How API server and controllers speak of the lasting tokens in Secrets: when one was used last, since when none holds.

Days are written as `2026-01-31`, in labels of the Secret and in the ConfigMap that says since when uses are noted.
"""

from __future__ import annotations

from datetime import UTC, datetime

TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
LAST_USED = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
_DAY = "%Y-%m-%d"


def date_of(text: str) -> datetime | None:
    """The start of a day; None for what is no day."""
    try:
        return datetime.strptime(text, _DAY).replace(tzinfo=UTC)
    except ValueError:
        return None


def day_of(now: datetime) -> str:
    """The day of a time in UTC."""
    return now.strftime(_DAY)
