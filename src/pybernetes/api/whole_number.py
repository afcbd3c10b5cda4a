"""Whole numbers in the texts of strangers: annotations, ports, schedules. Text in, a number or None out.

Python's own `int` takes digits of all scripts, its `isdigit` some that `int` does not take, and thousands of digits
are an error of their own; here it is what Go's strconv.Atoi takes, but for the sign.
"""

from __future__ import annotations

import re

# No leading zeros without end either: nobody writes them.
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)


def whole_number(text: str) -> int | None:
    """A number from 0 to 2**63 - 1; None for every other text."""
    if not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if number < 2**63 else None
