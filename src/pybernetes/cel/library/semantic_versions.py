"""Semantic versions. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pybernetes.cel.declarations import Library
from pybernetes.cel.types import opaque
from pybernetes.cel.values import EvaluationError, Opaque

LIBRARY = Library()
_NUMBER, _PART = r"(0|[1-9][0-9]{0,18})", r"[0-9A-Za-z-]+"
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
    if match is None or any(part.isdigit() and len(part) > 1 and part[0] == "0" for part in parts):
        raise EvaluationError(f"semver parse error: {text!r} is no semantic version")
    return Semver((int(match[1]), int(match[2]), int(match[3])), match[4] or "")


def _normal(text: str) -> str:
    """Without a leading v and leading zeros, and with all three numbers."""
    text = text.removeprefix("v")
    core, sign, rest = re.match(r"([^-+]*)([-+]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    numbers = [number.lstrip("0") or "0" for number in core.split(".") if number != ""]
    if core.startswith(".") or core.endswith(".") or not numbers:
        return text
    return ".".join([*numbers, *["0"] * (3 - len(numbers))]) + sign + rest


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
