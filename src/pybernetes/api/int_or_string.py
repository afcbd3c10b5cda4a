"""Counts that may be a percentage: `3` or `25%`.

Flow: the value of a field and the whole that it is a part of go in; a count comes out.
"""

from __future__ import annotations

import re

_PERCENT = re.compile(r"([0-9]+)%", re.ASCII)


def scaled(value: int | str, total: int, round_up: bool) -> int:
    """The count that `value` means for `total`; ValueError for text that is no percentage."""
    if isinstance(value, int):
        return value
    match = _PERCENT.fullmatch(value)
    if match is None:
        raise ValueError(f'invalid value for IntOrString: invalid type: string is not a percentage: "{value}"')
    part = int(match.group(1)) * total
    return -(-part // 100) if round_up else part // 100
