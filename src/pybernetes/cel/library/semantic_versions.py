"""Semantic versions. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pybernetes.cel.declarations import Library
from pybernetes.cel.types import opaque
from pybernetes.cel.values import UINT_MAX, EvaluationError, Opaque

LIBRARY = Library()
_NUMBER, _PART = r"(0|[1-9][0-9]{0,19})", r"[0-9A-Za-z-]+"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+{_PART}(?:\.{_PART})*)?", re.ASCII
)


@dataclass(frozen=True)
class Semver(Opaque):
    """A version; what follows a plus sign counts for nothing."""

    type_name: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, int, int]
    stage: str = ""

    @cached_property
    def order(self) -> tuple[Any, ...]:
        """Sorts as versions do: a release comes after its stages."""
        parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.stage.split(".") if self.stage]
        return (*self.numbers, not self.stage, parts)


LIBRARY.type_name(Semver.type_name, opaque(Semver.type_name))


def _parsed(text: str) -> Semver:
    match = _SEMVER.fullmatch(text)
    parts = (match[4] or "").split(".") if match is not None else []
    if match is None or not all(map(_is_stage, parts)) or any(int(match[place]) > UINT_MAX for place in (1, 2, 3)):
        raise EvaluationError(_problem(text))
    return Semver((int(match[1]), int(match[2]), int(match[3])), match[4] or "")


def _is_stage(part: str) -> bool:
    """Numbers have no zeros before them, and 64 bits."""
    return not part.isdigit() or part == "0" or (part[0] != "0" and len(part) <= 20 and int(part) <= UINT_MAX)


def _problem(text: str) -> str:
    """What upstream says of a text that is no version."""
    if not text:
        return "Version string empty"
    numbers = text.split(".", 2)
    if len(numbers) != 3:
        return "No Major.Minor.Patch elements found"
    for name, number in zip(("major", "minor", "patch"), (*numbers[:2], re.split("[-+]", numbers[2])[0]), strict=True):
        if not number.isascii() or not number.isdigit():
            return f'Invalid character(s) found in {name} number "{number}"'
        if number[0] == "0" and len(number) > 1:
            return f'{name.capitalize()} number must not contain leading zeroes "{number}"'
        if len(number) > 20 or int(number) > UINT_MAX:
            return f'strconv.ParseUint: parsing "{number}": value out of range'
    return "invalid prerelease or build metadata"


def _normal(text: str) -> str:
    """Without a leading v and leading zeros, and with all three numbers."""
    parts = text.removeprefix("v").split(".", 2)
    for index, part in enumerate(parts):
        if len(part) > 1:
            bare = part.lstrip("0")
            parts[index] = bare if bare[:1].isdigit() else f"0{bare}"
    if len(parts) < 3 and ("+" in parts[-1] or "-" in parts[-1]):
        raise EvaluationError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, *["0"] * (3 - len(parts))])


@LIBRARY.function("semver(string) -> kubernetes.Semver")
def semver(text: str) -> Semver:
    return _parsed(text)


@LIBRARY.function("semver(string, bool) -> kubernetes.Semver")
def semver_normalized(text: str, normalize: bool) -> Semver:
    return _parsed(_normal(text) if normalize else text)


@LIBRARY.function("isSemver(string) -> bool")
def is_semver(text: str) -> bool:
    return is_semver_normalized(text, False)


@LIBRARY.function("isSemver(string, bool) -> bool")
def is_semver_normalized(text: str, normalize: bool) -> bool:
    try:
        semver_normalized(text, normalize)
    except EvaluationError:
        return False
    return True


def _declare_numbers() -> None:
    for index, name in enumerate(("major", "minor", "patch")):
        LIBRARY.function(f"kubernetes.Semver.{name}() -> int")(lambda held, index=index: held.numbers[index])


_declare_numbers()


@LIBRARY.function("kubernetes.Semver.compareTo(kubernetes.Semver) -> int")
def compare_to(held: Semver, other: Semver) -> int:
    return (held.order > other.order) - (held.order < other.order)


@LIBRARY.function("kubernetes.Semver.isGreaterThan(kubernetes.Semver) -> bool")
def is_greater_than(held: Semver, other: Semver) -> bool:
    return held.order > other.order


@LIBRARY.function("kubernetes.Semver.isLessThan(kubernetes.Semver) -> bool")
def is_less_than(held: Semver, other: Semver) -> bool:
    return held.order < other.order
