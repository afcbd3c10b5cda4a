"""The formats of names and labels that Kubernetes checks, as values. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pybernetes.api import names
from pybernetes.cel.declarations import Library
from pybernetes.cel.library.times import parsed_timestamp
from pybernetes.cel.library.urls import url_problem
from pybernetes.cel.types import opaque
from pybernetes.cel.values import NONE, EvaluationError, Opaque, Optional

LIBRARY = Library()
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedFormat(Opaque):
    """A format by its name."""

    type_name: ClassVar[str] = "kubernetes.NamedFormat"
    name: str

    @property
    def pattern_size(self) -> int:
        """How long upstream takes its pattern to be, for what validation costs."""
        return _PATTERN_SIZES[self.name]


LIBRARY.type_name(NamedFormat.type_name, opaque(NamedFormat.type_name))


def _one(test: Callable[[str], bool], problem: str) -> Callable[[str], list[str]]:
    return lambda text: [] if test(text) else [problem]


def _prefix(rule: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """The rule for what a name begins with, which may end in a dash."""
    return lambda text: rule(names.masked_generate_name(text))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        parsed_timestamp(text)
    except EvaluationError:
        return False
    return True


_RULES: Mapping[str, Callable[[str], list[str]]] = {
    "dns1123Label": names.dns1123_label,
    "dns1123Subdomain": names.dns1123_subdomain,
    "dns1035Label": names.dns1035_label,
    "qualifiedName": names.qualified_name,
    "dns1123LabelPrefix": _prefix(names.dns1123_label),
    "dns1123SubdomainPrefix": _prefix(names.dns1123_subdomain),
    "dns1035LabelPrefix": _prefix(names.dns1035_label),
    "labelValue": names.label_value,
    "uri": lambda text: [problem] if (problem := url_problem(text)) else [],
    "uuid": _one(lambda text: _UUID.fullmatch(text) is not None, "does not match the UUID format"),
    "byte": _one(_is_base64, "invalid base64"),
    "date": _one(lambda text: _is_time(f"{text}T00:00:00Z"), "invalid date"),
    "datetime": _one(_is_time, "invalid datetime"),
}


_PATTERN_SIZES = {
    **dict.fromkeys(("dns1123Label", "dns1035Label", "dns1123LabelPrefix", "dns1035LabelPrefix"), 30),
    **dict.fromkeys(("dns1123Subdomain", "dns1123SubdomainPrefix", "qualifiedName"), 60),
    "labelValue": 40,
    "uri": 1120,
    "uuid": 85,
    "byte": 84,
    "date": 71,
    "datetime": 71,
}


def _declare_names() -> None:
    for name in _RULES:
        LIBRARY.function(f"format.{name}() -> kubernetes.NamedFormat")(lambda name=name: NamedFormat(name))


_declare_names()


@LIBRARY.function("format.named(string) -> optional_type(kubernetes.NamedFormat)")
def named(name: str) -> Optional:
    return Optional(NamedFormat(name), True) if name in _RULES else NONE


@LIBRARY.function("kubernetes.NamedFormat.validate(string) -> optional_type(list(string))")
def validate(held: NamedFormat, text: str) -> Optional:
    """What is wrong with a text; nothing when it has the format."""
    problems = _RULES[held.name](text)
    return Optional(problems, True) if problems else NONE
