"""Chance as a value that is handed in: names, ids, jitter and secrets; reproducible when it is given a seed."""

from __future__ import annotations

import os
import random
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

Item = TypeVar("Item")
# Kubernetes leaves out vowels and look-alikes, so that no bad word can form.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_BLOCK_BYTES = 4096
# A byte's letter, and the bytes that would make some letters likelier than others.
_LETTER_OF_BYTE = bytes(ord(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)]) for byte in range(256))
_UNFAIR = bytes(range(256 - 256 % len(_SUFFIX_LETTERS), 256))
# Where a UUID says that it is a random one (version 4, RFC 4122 variant).
_UUID_CLEAR = ~(0xC000 << 48 | 0xF000 << 64)
_UUID_SET = 0x8000 << 48 | 4 << 76


class _SystemRandom(random.SystemRandom):
    """The operating system's randomness, fetched by the block: a call of the system for every letter is slow."""

    def __init__(self) -> None:
        super().__init__()
        self._block, self._letters = b"", ""
        self._used = self._letters_used = 0
        # Two processes must not go on with the same block.
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._block, self._letters = b"", ""
        self._used = self._letters_used = 0

    def _take(self, count: int) -> int:
        if self._used + count > len(self._block):
            self._block, self._used = os.urandom(max(_BLOCK_BYTES, count)), 0
        first, self._used = self._used, self._used + count
        return int.from_bytes(self._block[first : self._used], "big")

    def random(self) -> float:
        return float((self._take(7) >> 3) * 2**-53)

    def getrandbits(self, k: int) -> int:
        count = (k + 7) // 8
        return self._take(count) >> (count * 8 - k)

    def suffix(self, length: int) -> str:
        """Letters of names, each as likely as the others."""
        if self._letters_used + length > len(self._letters):
            block = os.urandom(max(_BLOCK_BYTES, 2 * length))
            self._letters, self._letters_used = block.translate(_LETTER_OF_BYTE, _UNFAIR).decode(), 0
        first, self._letters_used = self._letters_used, self._letters_used + length
        return self._letters[first : self._letters_used]

    def randbytes(self, n: int) -> bytes:
        """Secrets never lie in the block."""
        return os.urandom(n)


_SYSTEM = _SystemRandom()


class Chance:
    """Draws from the operating system, or, given a seed, the same sequence every time."""

    def __init__(self, seed: int | None = None) -> None:
        self._random: random.Random = _SYSTEM if seed is None else random.Random(seed)

    def uid(self) -> str:
        """A random (version 4) UUID as text."""
        text = f"{self._random.getrandbits(128) & _UUID_CLEAR | _UUID_SET:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def suffix(self, length: int = 5) -> str:
        """Letters and digits as `generateName` appends them."""
        if isinstance(self._random, _SystemRandom):
            return self._random.suffix(length)
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
