"""What keeps an evaluation from its end: errors, and work that upstream's reckoning of costs passes over. Pure.

Whoever goes through nested values, copies them or compiles patterns says so with `strain`; an evaluation bounds that
work, and tells the turn under way of it.
"""

from __future__ import annotations

import threading

from pybernetes.api.turn import spend

# So much of it counts as one unit of cost, what is beyond the first of it in an evaluation.
PER_COST, FREE = 10, 10_000


class EvaluationError(Exception):
    """An expression that has no value, in CEL's words."""


class CostExceeded(EvaluationError):
    """An expression that would cost more than it may."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


class _Effort(threading.local):
    """How much is left for the evaluation of this thread; None when there is none."""

    left: int | None = None


effort = _Effort()


def strain(work: int) -> None:
    """Says that so many values, or tens of characters, are gone through; CostExceeded when that is too much."""
    if effort.left is None:
        return
    effort.left -= work
    if effort.left < 0:
        raise CostExceeded
    spend(work)
