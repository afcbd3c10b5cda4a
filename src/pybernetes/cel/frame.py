"""One evaluation of an expression: its variables, and what it has cost so far.

Compiled expressions are functions of a frame. Called by `program` and `compiler`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pybernetes.cel.values import CostExceeded

# What one evaluation may cost, as upstream has it: about a tenth of a second there.
PER_CALL_LIMIT = 1_000_000


@dataclass(slots=True)
class Budget:
    """What one evaluation may cost, and after it what it did cost."""

    limit: int = PER_CALL_LIMIT
    spent: int = 0


class Frame:
    """The state of one evaluation."""

    __slots__ = ("cost", "limit", "values")

    def __init__(self, values: dict[str, Any], limit: int) -> None:
        self.values, self.limit, self.cost = values, limit, 0

    def spend(self, cost: int) -> None:
        """Adds to the cost; CostExceeded when that is too much."""
        self.cost += cost
        if self.cost > self.limit:
            raise CostExceeded


Evaluator = Callable[[Frame], Any]
