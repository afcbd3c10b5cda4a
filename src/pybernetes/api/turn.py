"""The turn of a computation: how much it may do before others are let in. Pure.

Computations say what they do with `spend`, in units of about a third of a microsecond; whoever runs them with
`computed` says what comes of it. Called by what evaluates the words of strangers, and by `pybernetes.turns`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Turn(Protocol):
    """What is under way in a thread."""

    def spend(self, work: int) -> None:
        """Takes note of work; an exception that nobody but the caller of `computed` catches ends the computation."""

    def call(self, function: Callable[[], Result]) -> Result:
        """The result of a function that belongs to the event loop."""
        ...


class _Current(threading.local):
    turn: Turn | None = None


_current = _Current()


def spend(work: int) -> None:
    """Says that the computation under way has done so much."""
    turn = _current.turn
    if turn is not None:
        turn.spend(work)


def on_loop(function: Callable[[], Result]) -> Result:
    """Calls what belongs to the event loop, wherever the computation under way is."""
    turn = _current.turn
    return function() if turn is None else turn.call(function)


def computed(compute: Callable[[], Result], turn: Turn) -> Result:
    """The result of a computation in a turn."""
    _current.turn = turn
    try:
        return compute()
    finally:
        _current.turn = None
