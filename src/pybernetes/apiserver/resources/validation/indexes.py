"""Indexes of a Job's pods as text such as `0,2-4`: what is wrong with it, and where two texts overlap."""

from __future__ import annotations

import re

_number = re.compile(r"[+-]?[0-9]+")


class NotIndexes(ValueError):
    """The text is no list of growing indexes; the message says why."""


def count_indexes(text: str, completions: int) -> int:
    """How many indexes a text tells. Raises NotIndexes."""
    total, last = 0, None
    for part in text.split(",") if text else ():
        first, final = _interval(part, completions)
        if last is not None and last >= first:
            raise NotIndexes(f"non-increasing order, previous: {last}, current: {first}")
        total += final - first + 1
        last = final
    return total


def index_problem(text: str, completions: int) -> str:
    """What is wrong with a text; empty when nothing is."""
    try:
        count_indexes(text, completions)
    except NotIndexes as error:
        return str(error)
    return ""


def first_overlap(one: str, other: str, completions: int) -> int | None:
    """The first index that both texts tell, parts that are no indexes left aside."""
    mine = _sound(one, completions)
    theirs = _sound(other, completions)
    common = (max(a, c) for a, b in mine for c, d in theirs if a <= d and c <= b)
    return min(common, default=None)


def _sound(text: str, completions: int) -> list[tuple[int, int]]:
    intervals = []
    for part in text.split(",") if text else ():
        try:
            intervals.append(_interval(part, completions))
        except NotIndexes:
            continue
    return intervals


def _interval(part: str, completions: int) -> tuple[int, int]:
    limits = part.split("-")
    if len(limits) > 2:
        raise NotIndexes(
            f'the fragment "{part}" violates the requirement that an index interval can have at most two parts '
            "separated by '-'"
        )
    numbers = [_index(limit, completions) for limit in limits]
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise NotIndexes(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]


def _index(text: str, completions: int) -> int:
    if not _number.fullmatch(text):
        raise NotIndexes(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise NotIndexes(f'too large index: "{text}"')
    return int(text)
