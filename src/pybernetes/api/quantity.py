"""Amounts of a resource: `500m`, `1Gi`, `2e3`. Exact arithmetic, printed as Go's resource.Quantity prints it.

Flow: text (or a plain number) from a spec goes in; exact values, rounded integers or canonical text come out. Amounts
are kept as whole nano-units, the finest that the API knows; what is finer is rounded away from zero, as upstream does.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]
QuantityLike = str | int | float

NANO = 10**9
_INT64_MAX = 2**63 - 1
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()} | {0: ""}
_PATTERN = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]{1,100})", re.ASCII)
# An exponent beyond this is capped or rounded to one nano in any case; the limit keeps the arithmetic small.
_EXPONENT_LIMIT = 40

FORMAT_ERROR = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # upstream's text
)
SUFFIX_ERROR = "unable to parse quantity's suffix"


class Amount(NamedTuple):
    """A parsed quantity: whole nano-units and the family of suffixes it was written in."""

    nano: int
    format: Format


def amount(quantity: QuantityLike) -> Amount:
    """The parsed form; ValueError with upstream's text when it is no quantity."""
    return _amount(quantity if isinstance(quantity, str) else repr(quantity))


@lru_cache(maxsize=4096)
def _amount(text: str) -> Amount:
    match = _PATTERN.fullmatch(text)
    if not text or match is None:
        raise ValueError(FORMAT_ERROR)
    sign, whole, fraction, suffix = match.groups(default="")
    digits = int((whole + fraction) or "0")
    scale, power, form = _interpret(suffix)
    numerator = digits * 1024**power * 10 ** max(0, 9 + scale - len(fraction))
    denominator = 10 ** max(0, len(fraction) - 9 - scale)
    nano = -(-numerator // denominator)
    if form == "BinarySI":
        nano = min(nano, _INT64_MAX * NANO)
        # Parts of a byte have no binary suffix.
        form = form if nano == 0 or nano >= NANO else "DecimalSI"
    return Amount(-nano if sign == "-" else nano, form)


def _interpret(suffix: str) -> tuple[int, int, Format]:
    """(decimal exponent, power of 1024, format) of a suffix."""
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], 0, "DecimalSI"
    if suffix in _BINARY:
        return 0, _BINARY[suffix], "BinarySI"
    match = _EXPONENT.fullmatch(suffix)
    if match is None:
        raise ValueError(SUFFIX_ERROR)
    exponent = int(match.group(1))
    if not -_INT64_MAX <= exponent <= _INT64_MAX:
        raise ValueError(SUFFIX_ERROR)
    return max(-_EXPONENT_LIMIT, min(_EXPONENT_LIMIT, exponent)), 0, "DecimalExponent"


def parse(quantity: QuantityLike) -> Fraction:
    """The exact value."""
    return Fraction(amount(quantity).nano, NANO)


def value(quantity: QuantityLike) -> int:
    """The value in whole units, rounded up (away from zero), as for bytes and counts."""
    return _rounded(amount(quantity).nano, NANO)


def milli(quantity: QuantityLike) -> int:
    """The value in thousandths, rounded up (away from zero), as for CPU."""
    return _rounded(amount(quantity).nano, 10**6)


def _rounded(nano: int, unit: int) -> int:
    """Whole units that fit into 64 bits: decimal quantities know no bound."""
    return min(-(-nano // unit), _INT64_MAX) if nano >= 0 else max(nano // unit, -_INT64_MAX)


def canonical(quantity: QuantityLike) -> str:
    """The text that Go prints: no fraction, the largest suffix that loses nothing."""
    return written(amount(quantity))


def rounded_to_milli(quantity: QuantityLike) -> str:
    """Canonical text rounded up to thousandths: what the API server stores in every resource list."""
    return _rounded_to_milli(quantity if isinstance(quantity, str) else repr(quantity))


@lru_cache(maxsize=4096)
def _rounded_to_milli(text: str) -> str:
    nano, form = _amount(text)
    return written(Amount(_rounded(nano, 10**6) * 10**6, form))


def written(what: Amount) -> str:
    """The canonical text of an amount."""
    nano, form = what
    if nano == 0:
        return "0"
    if form == "BinarySI" and abs(nano) >= 1024 * NANO and nano % NANO == 0:
        return _written_binary(nano // NANO)
    exponent = -9
    while nano % 1000 == 0 and exponent < 18:
        nano //= 1000
        exponent += 3
    if form == "DecimalExponent":
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{_DECIMAL_SUFFIX[exponent]}"


def _written_binary(whole: int) -> str:
    power = 0
    while whole % 1024 == 0 and power < 6:
        whole //= 1024
        power += 1
    return f"{whole}{_BINARY_SUFFIX[power]}"


def add(first: QuantityLike, second: QuantityLike) -> str:
    """The canonical sum, in the format of `first` unless that is zero."""
    return _combined(amount(first), amount(second), 1)


def sub(first: QuantityLike, second: QuantityLike) -> str:
    """The canonical difference, in the format of `first` unless that is zero."""
    return _combined(amount(first), amount(second), -1)


def _combined(first: Amount, second: Amount, sign: int) -> str:
    form = first.format if first.nano else second.format
    return written(Amount(first.nano + sign * second.nano, form))


def compare(first: QuantityLike, second: QuantityLike) -> int:
    """-1, 0 or 1, as `first` is less than, equal to or greater than `second`."""
    left, right = amount(first).nano, amount(second).nano
    return (left > right) - (left < right)


def from_milli(thousandths: int, form: Format = "DecimalSI") -> str:
    """Canonical text of an amount in thousandths."""
    return written(Amount(thousandths * 10**6, form))


def from_value(whole: int, form: Format = "DecimalSI") -> str:
    """Canonical text of an amount in whole units; bytes are usually `BinarySI`."""
    return written(Amount(whole * NANO, form))
