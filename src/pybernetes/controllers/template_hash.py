"""The hash in a ReplicaSet's name: FNV-1a over the template printed the way upstream's controller prints it.

A template flows in, ten safe letters flow out. Upstream hashes the Go structs as text, unset fields included, so the
same
template gets the same name here and there; `template_types.txt` lists those structs. Pure; controllers with
templates call it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from pybernetes.api.types.core_v1 import PodTemplateSpec

_SAFE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_ZERO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"
_ROOT = "v1.PodTemplateSpec"
_NUMBERS = frozenset({"int32", "int64"})


def fnv1a_32(data: bytes) -> int:
    """FNV-1, as Go's `fnv.New32a` computes it with the XOR first."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def safe_encode(text: str) -> str:
    """Each character as one that cannot form a word."""
    return "".join(_SAFE_LETTERS[ord(letter) % len(_SAFE_LETTERS)] for letter in text)


def template_hash(template: PodTemplateSpec, collisions: int | None = None) -> str:
    """The `pod-template-hash` (or controller revision hash) of a template; `collisions` makes another one of it."""
    data = f"({_ROOT}){printed(_ROOT, msgspec.to_builtins(template))}".encode()
    if collisions is not None:
        data += (collisions & 0xFFFFFFFF).to_bytes(8, "little")
    return safe_encode(str(fnv1a_32(data)))


@dataclass(frozen=True)
class _Field:
    name: str
    json: str
    type: str
    embedded: bool


@cache
def _structs() -> dict[str, tuple[_Field, ...]]:
    text = files("pybernetes.controllers").joinpath("template_types.txt").read_text()
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: tuple(_field(word) for word in row[1:]) for row in rows}


def _field(word: str) -> _Field:
    name, _, type_ = word.partition(":")
    embedded = name.startswith("+")
    name, _, json = name.lstrip("+").partition("=")
    return _Field(name, json or name[0].lower() + name[1:], type_, embedded)


def printed(type_: str, value: Any) -> str:
    """A value of that Go type as text, its own type name not included: `(type)` is written by the struct around it."""
    if type_.startswith("*"):
        return "<nil>" if value is None else printed(type_[1:], value)
    if type_.startswith("[]"):
        return f"[{' '.join(_element(type_[2:], item) for item in value)}]" if value else "<nil>"
    if type_ in ("map[string]string", "v1.ResourceList"):
        return _printed_map(type_, value)
    if type_ in _structs():
        return _printed_struct(type_, value or {})
    return _printed_scalar(type_, value)


def _element(type_: str, value: Any) -> str:
    return printed(type_, value)


def _printed_map(type_: str, value: dict[str, Any] | None) -> str:
    if not value:
        return "<nil>"
    item = "resource.Quantity" if type_ == "v1.ResourceList" else "string"
    return f"map[{' '.join(f'{key}:{printed(item, value[key])}' for key in sorted(value))}]"


def _printed_struct(type_: str, value: dict[str, Any]) -> str:
    parts: Iterable[str] = (
        f"{field.name}:({field.type}){printed(field.type, value if field.embedded else value.get(field.json))}"
        for field in _structs()[type_]
    )
    return f"{{{' '.join(parts)}}}"


def _printed_scalar(type_: str, value: Any) -> str:
    if type_ == "bool":
        return "true" if value else "false"
    if type_ in _NUMBERS:
        return str(value or 0)
    if type_ == "v1.Time":
        return _ZERO_TIME
    if type_ == "intstr.IntOrString":
        if isinstance(value, str):
            return f"{{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string){value}}}"
        return f"{{Type:(intstr.Type)0 IntVal:(int32){value or 0} StrVal:(string)}}"
    if type_ == "resource.Quantity":
        return _printed_quantity(value)
    return "" if value is None else str(value)


_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def _printed_quantity(value: Any) -> str:
    """A quantity in Go's inner form: number and decimal exponent, the text it came from, and its format."""
    text = "" if value is None else str(value)
    number = text.rstrip("KMGTPEinumk") if text else "0"
    suffix = text[len(number) :] if text else ""
    digits = number.replace(".", "").replace("+", "")
    places = len(number.partition(".")[2])
    if suffix in _BINARY:
        amount, scale, format_ = int(digits) << _BINARY[suffix], 0, "BinarySI"
    elif "e" in number or "E" in number:
        mantissa, _, exponent = number.lower().partition("e")
        places = len(mantissa.partition(".")[2])
        amount, scale, format_ = int(mantissa.replace(".", "")), int(exponent) - places, "DecimalExponent"
    else:
        amount, scale, format_ = int(digits or "0"), _DECIMAL.get(suffix, 0) - places, "DecimalSI"
    if not text:
        format_ = ""
    return (
        f"{{i:(resource.int64Amount){{value:(int64){amount} scale:(resource.Scale){scale}}} "
        f"d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){text} Format:(resource.Format){format_}}}"
    )
