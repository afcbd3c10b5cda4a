"""What the cells of tables are made of: columns, ages, label selectors, lists that are cut short. Pure.

Values of objects and the time of the request go in, text goes out. Every topic file of this package builds its rows
with these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pybernetes.api import labels, time
from pybernetes.api.objects import ApiObject
from pybernetes.api.types.core_v1 import Container
from pybernetes.api.types.meta_v1 import LabelSelector

NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"
_SHOWN = 3


def columns(*words: str) -> list[dict[str, Any]]:
    """Column definitions from `Name`, `Desired:integer` (a type) and `*Node` (only with `-o wide`)."""
    return [_column(word) for word in words]


def _column(word: str) -> dict[str, Any]:
    name, _, type_ = word.removeprefix("*").partition(":")
    return {
        "name": name,
        "type": type_ or "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": int(word.startswith("*")),
    }


def duration(length: timedelta) -> str:
    """A length of time with at most two units, as kubectl shows ages: `5s`, `3m7s`, `2d4h`."""
    whole = length.total_seconds()
    seconds = int(whole)
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 10:
        return _pair(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _pair(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    return _pair(days // 365, "y", days % 365, "d") if days < 365 * 8 else f"{days // 365}y"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def since(when: str | None, now: datetime) -> str:
    """How long ago a time of an object was; `<unknown>` when it has none."""
    return duration(now - time.parse(when)) if when else UNKNOWN


def age(obj: ApiObject, now: datetime) -> str:
    """How long ago an object was created."""
    return since(obj.metadata.creation_timestamp, now)


def name(obj: ApiObject) -> str:
    return obj.metadata.name or ""


def shown_labels(values: Mapping[str, str]) -> str:
    """`a=b,c=d` in the order of the keys."""
    return ",".join(f"{key}={values[key]}" for key in sorted(values)) or NONE


def shown_selector(selector: LabelSelector | None) -> str:
    """A label selector as text; `<none>` for none and for one that selects everything."""
    try:
        return str(labels.from_label_selector(selector)) or NONE
    except labels.SelectorError:
        return "<error>"


def containers(items: Sequence[Container]) -> list[str]:
    """The two cells Containers and Images."""
    return [",".join(item.name for item in items), ",".join(item.image or "" for item in items)]


def shortened(items: Iterable[str]) -> str:
    """The first items joined by commas, and how many more there are."""
    listed = list(items)
    text = ",".join(listed[:_SHOWN])
    return f"{text} + {len(listed) - _SHOWN} more..." if len(listed) > _SHOWN else text
