"""Quantities such as `500m` and `1Gi`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from pybernetes.api.quantity import parse
from pybernetes.cel.declarations import Library
from pybernetes.cel.types import opaque
from pybernetes.cel.values import INT_MAX, INT_MIN, EvaluationError, Opaque

LIBRARY = Library()


@dataclass(frozen=True, slots=True)
class Quantity(Opaque):
    """An exact amount."""

    type_name: ClassVar[str] = "kubernetes.Quantity"
    amount: Fraction


LIBRARY.type_name(Quantity.type_name, opaque(Quantity.type_name))


@LIBRARY.function("quantity(string) -> kubernetes.Quantity")
def quantity(text: str) -> Quantity:
    try:
        return Quantity(parse(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from None


@LIBRARY.function("isQuantity(string) -> bool")
def is_quantity(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


@LIBRARY.function("kubernetes.Quantity.sign() -> int")
def sign(held: Quantity) -> int:
    return (held.amount > 0) - (held.amount < 0)


@LIBRARY.function("kubernetes.Quantity.isInteger() -> bool")
def is_integer(held: Quantity) -> bool:
    return held.amount.denominator == 1 and INT_MIN <= held.amount <= INT_MAX


@LIBRARY.function("kubernetes.Quantity.asInteger() -> int")
def as_integer(held: Quantity) -> int:
    if not is_integer(held):
        raise EvaluationError("cannot convert value to integer")
    return int(held.amount)


@LIBRARY.function("kubernetes.Quantity.asApproximateFloat() -> double")
def as_approximate_float(held: Quantity) -> float:
    return float(held.amount)


def _amount(value: Any) -> Fraction:
    return value.amount if isinstance(value, Quantity) else Fraction(value)


@LIBRARY.function(
    "kubernetes.Quantity.add(kubernetes.Quantity) -> kubernetes.Quantity",
    "kubernetes.Quantity.add(int) -> kubernetes.Quantity",
)
def add(held: Quantity, other: Any) -> Quantity:
    return Quantity(held.amount + _amount(other))


@LIBRARY.function(
    "kubernetes.Quantity.sub(kubernetes.Quantity) -> kubernetes.Quantity",
    "kubernetes.Quantity.sub(int) -> kubernetes.Quantity",
)
def sub(held: Quantity, other: Any) -> Quantity:
    return Quantity(held.amount - _amount(other))


@LIBRARY.function("kubernetes.Quantity.compareTo(kubernetes.Quantity) -> int")
def compare_to(held: Quantity, other: Quantity) -> int:
    return (held.amount > other.amount) - (held.amount < other.amount)


@LIBRARY.function("kubernetes.Quantity.isGreaterThan(kubernetes.Quantity) -> bool")
def is_greater_than(held: Quantity, other: Quantity) -> bool:
    return held.amount > other.amount


@LIBRARY.function("kubernetes.Quantity.isLessThan(kubernetes.Quantity) -> bool")
def is_less_than(held: Quantity, other: Quantity) -> bool:
    return held.amount < other.amount
