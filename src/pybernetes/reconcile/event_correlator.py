"""Which events are the same, which only alike, and which too many: what `EventRecorder` asks before it writes.

In goes an event that happened, out comes the event to write, or None for spam. The time is handed in.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from pybernetes.api.types.core_v1 import ObjectReference

Value = TypeVar("Value")

REMEMBERED = 4096  # entries of each memory; the longest unused are forgotten
# More than so many alike events (same but for their message) within the time become one.
ALIKE_AT_MOST = 10
ALIKE_WITHIN = 600.0
# One object of one component may have so many events at once, and then one each 300 s.
BURST = 25
REFILL = 300.0


@dataclass(frozen=True)
class Occurrence:
    """Something that happened, as a component tells it."""

    about: ObjectReference
    type: str
    reason: str
    message: str

    @property
    def object_key(self) -> tuple[str, ...]:
        about = self.about
        return tuple(
            part or ""
            for part in (about.kind, about.namespace, about.name, about.uid, about.api_version, about.field_path)
        )


@dataclass
class Written:
    """An event as it stands in the API server: its name and how often it has been counted."""

    name: str
    namespace: str
    first: str  # RFC 3339
    count: int = 1


@dataclass(frozen=True)
class Verdict:
    """What to write: a new event when `known` is None, else one more of that one."""

    message: str
    key: tuple[str, ...]
    known: Written | None


class _Memory(OrderedDict[tuple[str, ...], Value], Generic[Value]):
    def remember(self, key: tuple[str, ...], value: Value) -> Value:
        self[key] = value
        self.move_to_end(key)
        if len(self) > REMEMBERED:
            self.popitem(last=False)
        return value


@dataclass
class _Alike:
    since: float
    messages: set[str]


@dataclass
class _Bucket:
    tokens: float
    at: float


class EventCorrelator:
    """Upstream's three rules, in their order: alike ones are combined, equal ones are counted, too many are dropped."""

    def __init__(self) -> None:
        self._alike: _Memory[_Alike] = _Memory()
        self._written: _Memory[Written] = _Memory()
        self._buckets: _Memory[_Bucket] = _Memory()

    def judge(self, what: Occurrence, now: float) -> Verdict | None:
        """The event to write for what happened at `now` (seconds of a clock that never goes back)."""
        message, key = self._combined(what, now)
        known = self._written.get(key)
        if not self._affordable(what.object_key, now):
            return None
        return Verdict(message, key, known)

    def wrote(self, verdict: Verdict, written: Written) -> None:
        """The verdict has been carried out: the next equal event counts up this one."""
        self._written.remember(verdict.key, written)

    def forget(self, verdict: Verdict) -> None:
        """The event is no longer in the API server."""
        self._written.pop(verdict.key, None)

    def _combined(self, what: Occurrence, now: float) -> tuple[str, tuple[str, ...]]:
        """The message to write and the key that tells whether it has been written before."""
        family = (*what.object_key, what.type, what.reason)
        alike = self._alike.get(family)
        if alike is None or now - alike.since > ALIKE_WITHIN:
            alike = _Alike(now, set())
        alike.since = now
        alike.messages.add(what.message)
        self._alike.remember(family, alike)
        if len(alike.messages) < ALIKE_AT_MOST:
            return what.message, (*family, what.message)
        if len(alike.messages) > ALIKE_AT_MOST:
            # A full set says all: it need not grow.
            alike.messages.discard(what.message)
        return f"(combined from similar events): {what.message}", family

    def _affordable(self, key: tuple[str, ...], now: float) -> bool:
        bucket = self._buckets.get(key) or _Bucket(BURST, now)
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) / REFILL)
        bucket.at = now
        self._buckets.remember(key, bucket)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
