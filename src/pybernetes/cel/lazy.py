"""Variables whose values are found when an expression first asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pybernetes.cel.values import EvaluationError


class Lazy:
    """A variable whose value is found when an expression first asks for it."""

    __slots__ = ("_find", "_is_known", "_value")

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find, self._is_known = find, False
        self._value: Any = None

    def __call__(self) -> Any:
        if not self._is_known:
            try:
                self._value = self._find()
            except EvaluationError as error:
                self._value = error
            self._is_known = True
        if isinstance(self._value, EvaluationError):
            raise self._value
        return self._value
