"""The page that `describe` writes on: lines with tabs and levels go in, columns come out at the end.

Every part of a description (labels, conditions, events) is a pure function that writes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pybernetes.api import time
from pybernetes.api.labels import SelectorError, from_label_selector
from pybernetes.api.types.core_v1 import Event
from pybernetes.api.types.meta_v1 import LabelSelector, OwnerReference
from pybernetes.kubectl.durations import age
from pybernetes.kubectl.printing import aligned, harmless

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATION_LENGTH = 140
NEVER = "Mon, 01 Jan 0001 00:00:00 +0000"


class Writing:
    """Collects lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def line(self, text: str = "", level: int = 0) -> None:
        """One line; a tab ends a column."""
        self._lines.append("  " * level + text)

    def pair(self, name: str, value: object, level: int = 0) -> None:
        """`name: value`."""
        self.line(f"{name}:\t{value}", level)

    def raw(self) -> str:
        """All lines, with their tabs; what others wrote cannot command the terminal."""
        return harmless("\n".join(self._lines)) + "\n"

    def text(self) -> str:
        """All lines, in columns."""
        return aligned(self.raw())


def moment(text: str | None) -> str:
    """A time as `Mon, 02 Jan 2006 15:04:05 +0000`."""
    return time.parse(text).strftime("%a, %d %b %Y %H:%M:%S +0000") if text else NEVER


def write_map(writing: Writing, title: str, values: Mapping[str, str]) -> None:
    """`Labels:` and the like, a pair a line, sorted."""
    pairs = [f"{key}={values[key]}" for key in sorted(values)] or ["<none>"]
    writing.line(f"{title}:\t{pairs[0]}")
    for pair in pairs[1:]:
        writing.line(f"\t{pair}")


def write_annotations(writing: Writing, values: Mapping[str, str], title: str = "Annotations") -> None:
    """Annotations but the last applied manifest; long ones below their key."""
    lines: list[str] = []
    for key in sorted(values):
        value = values[key].removesuffix("\n")
        if key == LAST_APPLIED:
            continue
        if len(key) + len(value) + 2 > ANNOTATION_LENGTH or "\n" in value:
            lines.append(f"{key}:")
            lines += [f"  {_shortened(part, ANNOTATION_LENGTH - 2)}" for part in value.split("\n")]
        else:
            lines.append(f"{key}: {value}")
    for number, line in enumerate(lines or ["<none>"]):
        writing.line(f"{'' if number else f'{title}:'}\t{line}")


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "..."


def selector_text(selector: LabelSelector | None) -> str:
    """A LabelSelector as text."""
    if selector is None:
        return "<unset>"
    try:
        return str(from_label_selector(selector)) or "<none>"
    except SelectorError as why:
        return f"<error: {why}>"


def controller(owners: Sequence[OwnerReference]) -> str:
    """`ReplicaSet/web-1`, or nothing."""
    return next((f"{owner.kind}/{owner.name}" for owner in owners if owner.controller), "")


def write_events(writing: Writing, events: Sequence[Event], now: datetime) -> None:
    """The events of an object, the oldest first."""
    if not events:
        writing.line("Events:\t<none>")
        return
    writing.line("Events:")
    writing.line("Type\tReason\tAge\tFrom\tMessage", 1)
    writing.line("----\t------\t----\t----\t-------", 1)
    for event in sorted(events, key=lambda item: item.last_timestamp or item.event_time or ""):
        source = event.source.component or event.reporting_component or ""
        message = (event.message or "").strip()
        writing.line(f"{event.type}\t{event.reason}\t{_how_long(event, now)}\t{source}\t{message}", 1)


def _how_long(event: Event, now: datetime) -> str:
    first = age(event.event_time or event.first_timestamp, now)
    if event.series is not None:
        last = age(event.series.last_observed_time, now)
        return f"{last} (x{event.series.count} over {first})"
    if (event.count or 0) > 1:
        return f"{age(event.last_timestamp, now)} (x{event.count} over {first})"
    return first
