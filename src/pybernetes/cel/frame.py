"""One evaluation of an expression: its variables, and what it has cost so far.

Compiled expressions are functions of a frame. Called by `program` and `compiler`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pybernetes.api.turn import spend
from pybernetes.cel.values import CostExceeded

# What one evaluation may cost, as upstream has it: about a tenth of a second there.
PER_CALL_LIMIT = 1_000_000
# After how much of it others are thought of. What is dear in one piece (a pattern, an authorization) takes no time.
_STEP = 1000


@dataclass(slots=True)
class Budget:
    """What one evaluation may cost, and after it what it did cost."""

    limit: int = PER_CALL_LIMIT
    spent: int = 0


class Frame:
    """The state of one evaluation. `stop` is the cost at which `pause` is to be called."""

    __slots__ = ("_most", "_told", "cost", "stop", "values")

    def __init__(self, values: dict[str, Any], limit: int) -> None:
        self.values, self._most, self.cost = values, limit, 0
        self.stop, self._told = min(limit, _STEP), 0

    def spend(self, cost: int) -> None:
        """Adds to the cost; CostExceeded when that is too much."""
        self.cost += cost
        if self.cost > self.stop:
            self.pause()

    def pause(self) -> None:
        """Looks how far the evaluation is: at its limit, or only at a point where others may have their turn."""
        if self.cost > self._most:
            raise CostExceeded
        spend(min(self.cost - self._told, 2 * _STEP))
        self._told = self.cost
        self.stop = min(self._most, self.cost + _STEP)


Evaluator = Callable[[Frame], Any]
