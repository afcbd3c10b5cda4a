"""A pool of numbers, such as ports, and who has which.

A request for a number goes in; it is given out once or refused. A number stays with its owner until the owner is gone
or no longer shows it, which is looked up only when somebody else wants it: so a change that fails leaks nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pybernetes.environment.chance import Chance

_LUCKY_DRAWS = 32
_SWEEPS = 3


class PoolError(Exception):
    """The number cannot be had; the text is upstream's."""


class RefusedError(PoolError):
    """Not for want of numbers: whoever asks for one cannot be given any."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The object that has a number: its key `namespace/name` and its uid."""

    key: str
    uid: str


class Pool:
    """The whole numbers from `low` to `high`; those below `static_end` are drawn only when all others are given out.

    `shows(owner, number)` tells whether the stored owner has the number.
    """

    def __init__(self, low: int, high: int, static_end: int, shows: Callable[[Owner, int], bool]) -> None:
        self.low, self.high = low, high
        self._static_end = min(static_end, high)
        self._shows = shows
        self._owners: dict[int, Owner] = {}
        # Given out for a write that is not known to be stored yet, and how often `sweep` has met it.
        self._pending: dict[int, int] = {}

    def adopt(self, number: int, owner: Owner) -> None:
        """Notes what a stored object has, at start-up."""
        self._owners.setdefault(number, owner)

    def take(self, number: int, owner: Owner) -> None:
        """Gives out this very number; PoolError when it is somebody else's."""
        if self.is_taken(number):
            raise PoolError("provided port is already allocated")
        self._owners[number] = owner
        self._pending[number] = 0

    def draw(self, owner: Owner, chance: Chance) -> int:
        """Gives out any free number; PoolError when there is none."""
        for low, high in ((self._static_end, self.high), (self.low, self._static_end - 1)):
            number = self._free_between(low, high, chance)
            if number is not None:
                self.take(number, owner)
                return number
        raise PoolError("range is full")

    def _free_between(self, low: int, high: int, chance: Chance) -> int | None:
        size = high - low + 1
        if size <= 0:
            return None
        for _draw in range(_LUCKY_DRAWS):
            number = low + int(chance.uniform(0, size)) % size
            if number not in self._owners:
                return number
        return next((number for number in range(low, high + 1) if not self.is_taken(number)), None)

    def is_taken(self, number: int) -> bool:
        """Whether a number is somebody's; one that its owner no longer shows is free from now on."""
        owner = self._owners.get(number)
        if owner is None:
            return False
        if self._shows(owner, number):
            self._pending.pop(number, None)
            return True
        if number in self._pending:
            return True
        del self._owners[number]
        return False

    def sweep(self) -> None:
        """Frees numbers of writes that were never stored: those that it meets for the third time."""
        for number, met in list(self._pending.items()):
            if self._shows(self._owners[number], number):
                self.settle(number)
            elif met + 1 < _SWEEPS:
                self._pending[number] = met + 1
            else:
                del self._owners[number], self._pending[number]

    def settle(self, number: int) -> None:
        """Notes that the number has been seen in a stored object, whose later state then decides about it."""
        self._pending.pop(number, None)

    def give_back(self, number: int, uid: str) -> None:
        """Takes a number back from its owner; nothing happens when it is by now another's."""
        owner = self._owners.get(number)
        if owner is not None and owner.uid == uid:
            del self._owners[number]
            self._pending.pop(number, None)
