"""Growing pauses between tries of a loop that talks to a server: informers and leader election use it."""

from __future__ import annotations

from pybernetes.environment.chance import Chance


class Backoff:
    """Pauses that double from `first` to `longest` seconds; up to as much again is added by chance.

    The addition keeps the clients of a server that comes back from arriving all at once.
    """

    def __init__(self, chance: Chance, first: float = 0.8, longest: float = 30.0) -> None:
        self._chance = chance
        self._first = self._next = first
        self._longest = longest

    def next(self) -> float:
        """Seconds to wait now; the next answer is longer."""
        base, self._next = self._next, min(self._next * 2, self._longest)
        return min(base * self._chance.uniform(1.0, 2.0), self._longest)

    def reset(self) -> None:
        """Things work again: start from the first pause."""
        self._next = self._first
