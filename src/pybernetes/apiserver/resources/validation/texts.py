"""Rules for single values and lists of them: names that obey a rule, words that are known, texts that are short enough.

A rule gives what is wrong with a value in words, as those of `api.names` do; here the words become errors of a field.
What is said of absence stands first in a function's name: `required` complains of it, `none` and `empty` let it pass.
Called by the rules of all kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from typing import TypeVar

from pybernetes.api.status import FieldError, invalid, not_supported, required

_Value = TypeVar("_Value")


def obeys(value: _Value, rule: Callable[[_Value], list[str]], path: str) -> list[FieldError]:
    return [invalid(path, value, text) for text in rule(value)]


def each_obeys(values: Iterable[_Value], rule: Callable[[_Value], list[str]], path: str) -> list[FieldError]:
    return [invalid(f"{path}[{index}]", value, text) for index, value in enumerate(values) for text in rule(value)]


def none_or_obeys(value: _Value | None, rule: Callable[[_Value], list[str]], path: str) -> list[FieldError]:
    return [] if value is None else obeys(value, rule, path)


def empty_or_obeys(value: _Value | None, rule: Callable[[_Value], list[str]], path: str) -> list[FieldError]:
    return obeys(value, rule, path) if value else []


def required_text(value: str | None, rule: Callable[[str], list[str]], path: str) -> list[FieldError]:
    return obeys(value, rule, path) if value else [required(path)]


def one_of(value: str | None, known: Sequence[str], path: str) -> list[FieldError]:
    return [] if value in known else [not_supported(path, value, known)]


def each_one_of(values: Iterable[str], known: Sequence[str], path: str) -> list[FieldError]:
    return [error for index, value in enumerate(values) for error in one_of(value, known, f"{path}[{index}]")]


def none_or_one_of(value: str | None, known: Sequence[str], path: str) -> list[FieldError]:
    return [] if value is None else one_of(value, known, path)


def required_one_of(value: str | None, known: Sequence[str], path: str) -> list[FieldError]:
    return one_of(value, known, path) if value else [required(path)]


def too_long(path: str, limit: int) -> FieldError:
    return FieldError("FieldValueTooLong", path, f"may not be more than {limit} bytes")


def no_longer(text: Sized, limit: int, path: str) -> list[FieldError]:
    """The limit is of characters or bytes, whichever the caller gives; upstream always speaks of bytes."""
    return [too_long(path, limit)] if len(text) > limit else []
