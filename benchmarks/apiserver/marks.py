"""The marks: what the original does on a 2-core machine, and what is to be reached. Data and the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """One row. `lower` says that less is better."""

    key: str
    work: str
    unit: str
    original: float | None
    reach: float
    lower: bool = False


MARKS = (
    Mark("create-1", "create a pod, 1 connection", "per s", 414, 1_200),
    Mark("create-16", "create a pod, 16 connections", "per s", 1_466, 4_400),
    Mark("create-64", "create a pod, 64 connections", "per s", 1_444, 4_400),
    Mark("get", "get a pod, 16 connections", "per s", 3_620, 12_000),
    Mark("list-500", "list 500 pods (limit=500)", "per s", 70, 500),
    Mark("list-all", "list 17,000 pods, 2 connections", "per s", 2.4, 10),
    Mark("list-label", "list by label, 170 of 17,000", "per s", 68, 600),
    Mark("watch-100", "watch fan-out, 100 watchers, 300 pods (5 kB)", "events per s", 38_000, 150_000),
    Mark("watch-500", "watch fan-out, 500 watchers, 300 pods (5 kB)", "events per s", 95_000, 300_000),
    Mark("watch-plain-100", "watch fan-out, 100 watchers, 300 plain pods (2 kB)", "events per s", None, 150_000),
    Mark("watch-plain-500", "watch fan-out, 500 watchers, 300 plain pods (2 kB)", "events per s", None, 300_000),
    Mark("ready-empty", "ready after start, empty", "s", 3.1, 0.7, lower=True),
    Mark("ready-full", "ready after start, with 17,000 pods", "s", None, 3.0, lower=True),
    Mark("memory-idle", "memory idle", "MB", 302, 110, lower=True),
    Mark("memory-full", "memory with 17,000 pods", "MB", 1_412, 350, lower=True),
)


def table(figures: Mapping[str, float]) -> str:
    """The marks with the measured figures beside them, as Markdown."""
    lines = ["| work | original | reach | measured | |", "|---|---|---|---|---|"]
    for mark in MARKS:
        measured = figures.get(mark.key)
        if measured is None:
            continue
        reached = measured <= mark.reach if mark.lower else measured >= mark.reach
        lines.append(
            f"| {mark.work} ({mark.unit}) | {_number(mark.original)} | {_number(mark.reach)} "
            f"| {_number(measured)} | {'reached' if reached else 'not reached'} |"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")
