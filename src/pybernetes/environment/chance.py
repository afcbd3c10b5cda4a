"""Chance as a value that is handed in: names, ids, jitter and secrets; reproducible when it is given a seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

Item = TypeVar("Item")
# Kubernetes leaves out vowels and look-alikes, so that no bad word can form.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Chance:
    """Draws from the operating system, or, given a seed, the same sequence every time."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.SystemRandom() if seed is None else random.Random(seed)

    def uid(self) -> str:
        """A random (version 4) UUID as text."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def suffix(self, length: int = 5) -> str:
        """Letters and digits as `generateName` appends them."""
        return "".join(self._random.choices(_SUFFIX_LETTERS, k=length))

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def choice(self, items: Sequence[Item]) -> Item:
        return self._random.choice(items)

    def shuffle(self, items: MutableSequence[Item]) -> None:
        self._random.shuffle(items)

    def secret(self, length: int) -> bytes:
        """Bytes fit for keys and tokens when there is no seed."""
        return self._random.randbytes(length)
