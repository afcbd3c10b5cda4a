"""Conversions between CEL's types, and their names. Pure."""

from __future__ import annotations

import math
import re
from typing import Any

from pybernetes.cel import types
from pybernetes.cel.declarations import Library
from pybernetes.cel.types import Type
from pybernetes.cel.values import (
    INT_MAX,
    INT_MIN,
    SECOND,
    Duration,
    EvaluationError,
    Message,
    Opaque,
    Optional,
    Timestamp,
    Uint,
    checked,
    checked_unsigned,
)

LIBRARY = Library()
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_TRUE, _FALSE = (
    frozenset(("1", "t", "T", "true", "TRUE", "True")),
    frozenset(("0", "f", "F", "false", "FALSE", "False")),
)

for _name, _type in {
    "bool": types.BOOL,
    "int": types.INT,
    "uint": types.UINT,
    "double": types.DOUBLE,
    "string": types.STRING,
    "bytes": types.BYTES,
    "list": Type("list"),
    "map": Type("map"),
    "null_type": types.NULL,
    "type": Type("type"),
    "optional_type": types.opaque("optional_type"),
    "google.protobuf.Timestamp": types.TIMESTAMP,
    "google.protobuf.Duration": types.DURATION,
}.items():
    LIBRARY.type_name(_name, _type)


@LIBRARY.function("dyn(T) -> dyn")
def dyn(value: Any) -> Any:
    return value


@LIBRARY.function("type(T) -> type(T)")
def type_(value: Any) -> Type:
    """The type of a value; lists and maps do not say of what."""
    if isinstance(value, Opaque):
        return types.opaque(value.type_name)
    if isinstance(value, Message):
        return types.object_type(value.type_name, {})
    for kind, found in _KINDS:
        if isinstance(value, kind):
            return found
    return types.NULL


_KINDS: tuple[tuple[type, Type], ...] = (
    (bool, types.BOOL),
    (Uint, types.UINT),
    (int, types.INT),
    (float, types.DOUBLE),
    (str, types.STRING),
    (bytes, types.BYTES),
    (list, Type("list")),
    (dict, Type("map")),
    (Timestamp, types.TIMESTAMP),
    (Duration, types.DURATION),
    (Optional, types.opaque("optional_type")),
    (Type, Type("type")),
)


@LIBRARY.function("int(int) -> int", "int(uint) -> int", "int(double) -> int")
def int_of_number(value: Any) -> int:
    if isinstance(value, float) and not INT_MIN < value < INT_MAX:
        raise EvaluationError("integer overflow")
    return checked(int(value))


@LIBRARY.function("int(string) -> int")
def int_of_text(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise EvaluationError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(text) > 20 or not INT_MIN <= int(text) <= INT_MAX:
        raise EvaluationError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)


@LIBRARY.function("int(timestamp) -> int")
def int_of_timestamp(moment: Timestamp) -> int:
    return moment.nanoseconds // SECOND


@LIBRARY.function("int(duration) -> int")
def int_of_duration(span: Duration) -> int:
    return span.nanoseconds


@LIBRARY.function("uint(uint) -> uint", "uint(int) -> uint", "uint(double) -> uint")
def uint_of_number(value: Any) -> Uint:
    if isinstance(value, float) and (math.isnan(value) or not 0 <= value < 2**64):
        raise EvaluationError("unsigned integer overflow")
    return checked_unsigned(int(value))


@LIBRARY.function("uint(string) -> uint")
def uint_of_text(text: str) -> Uint:
    if not text.isascii() or not text.isdigit():
        raise EvaluationError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if len(text) > 20 or int(text) >= 2**64:
        raise EvaluationError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return Uint(int(text))


@LIBRARY.function("double(double) -> double", "double(int) -> double", "double(uint) -> double")
def double_of_number(value: Any) -> float:
    return float(value)


@LIBRARY.function("double(string) -> double")
def double_of_text(text: str) -> float:
    try:
        return float(text if "_" not in text and text == text.strip() else "none")
    except ValueError:
        raise EvaluationError(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None


@LIBRARY.function("bool(bool) -> bool")
def bool_of_bool(value: bool) -> bool:
    return value


@LIBRARY.function("bool(string) -> bool")
def bool_of_text(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise EvaluationError("type conversion error from 'string' to 'bool'")


@LIBRARY.function("bytes(bytes) -> bytes", "bytes(string) -> bytes")
def bytes_of(value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else value


@LIBRARY.function(*(f"string({kind}) -> string" for kind in ("string", "bool", "int", "uint", "double", "bytes")))
@LIBRARY.function("string(timestamp) -> string", "string(duration) -> string")
def text_of(value: Any) -> str:
    """A value as text, as Go writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, Timestamp):
        return written_timestamp(value)
    if isinstance(value, Duration):
        return written_duration(value)
    return str(int(value))


def shortest(value: float) -> str:
    """The shortest text that reads back as the number, with an exponent for large and small ones."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    mantissa, _, power = f"{value!r}".partition("e")
    if -4 <= math.floor(math.log10(abs(value))) < 21 and not power:
        return mantissa.removesuffix(".0")
    digits = f"{value:.17e}"
    for precision in range(17):
        digits = f"{value:.{precision}e}"
        if float(digits) == value:
            break
    exponent = int(digits.partition("e")[2])
    if -4 <= exponent < 21:
        return f"{value:.0f}" if exponent >= 16 else repr(value).removesuffix(".0")
    return digits


def written_timestamp(moment: Timestamp) -> str:
    whole = moment.moment().strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    rest = moment.nanoseconds % SECOND
    return f"{whole}.{rest:09d}".rstrip("0") + "Z" if rest else f"{whole}Z"


def written_duration(span: Duration) -> str:
    """In seconds, such as `90.5s`."""
    sign = "-" if span.nanoseconds < 0 else ""
    seconds, rest = divmod(abs(span.nanoseconds), SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{sign}{seconds}{fraction}s"
