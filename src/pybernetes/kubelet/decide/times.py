"""Times as the runtime counts them (nanoseconds since the epoch) and as the API writes them (RFC 3339 text)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(moment: datetime) -> int:
    """An aware datetime as nanoseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def api_time(moment: int) -> str | None:
    """`2026-01-02T03:04:05Z`; None for 0, "not yet"."""
    if not moment:
        return None
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def log_time(moment: int) -> str:
    """RFC 3339 with nanoseconds, as in container logs."""
    base = datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{base}.{moment % SECOND:09d}Z"


def parse_time(text: str | None) -> int:
    """Nanoseconds of an RFC 3339 text with any precision; 0 when absent."""
    if not text:
        return 0
    stem, fraction = text, ""
    if "." in text:
        stem, rest = text.split(".", 1)
        digits = len(rest) - len(rest.lstrip("0123456789"))
        fraction, zone = rest[:digits], rest[digits:]
        stem += zone
    seconds = int(datetime.fromisoformat(stem.replace("Z", "+00:00")).timestamp())
    return seconds * SECOND + int(fraction[:9].ljust(9, "0") or 0)


def duration(seconds: float) -> str:
    """Whole seconds as Go prints a duration: `10s`, `2m40s`, `5m0s`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
