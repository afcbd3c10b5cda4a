"""The `format`s of strings that schemas may ask for, and whether a text has one. Pure.

A schema or a text goes in, a yes or no comes out. Formats that are not in the table are ignored, as upstream ignores
them; `definition_warnings` tells the author.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from pybernetes.api.json_schema import Schema
from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.time import parse as parse_time

_UUID = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}$"
_HOST = re.compile(
    r"^([a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"
)
_DURATION = re.compile(
    r"^\s*(?:(?:\d+(?:\.\d*)?|\.\d+)\s*"
    r"(?:ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|min|mins|minutes?"
    r"|h|hrs?|hours?|d|days?|w|wks?|weeks?)\s*)+$"
)
_EMAIL = re.compile(r"^[^@\s<>]+@[^@\s<>]+$")


def _accepts(check: Callable[[str], object]) -> Callable[[str], bool]:
    """A rule out of what raises ValueError for a wrong text."""

    def rule(text: str) -> bool:
        try:
            check(text)
        except ValueError:
            return False
        return True

    return rule


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.search(text) is not None


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None and _accepts(parse_time)(f"{text}T00:00:00Z")


def _is_moment(text: str) -> bool:
    return text == "" or _accepts(parse_time)(text.replace("t", "T").replace("z", "Z").replace(" ", "T"))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text != ""


def _is_cidr(text: str) -> bool:
    return "/" in text and _accepts(lambda value: ipaddress.ip_network(value, strict=False))(text)


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) or text.startswith("/")


def _is_host(text: str) -> bool:
    return len(text) <= 255 and _HOST.match(text) is not None


FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(r"^[0-9a-fA-F]{24}$"),
    "uri": _is_uri,
    "email": lambda text: _EMAIL.match(text) is not None,
    "hostname": _is_host,
    "ipv4": _accepts(ipaddress.IPv4Address),
    "ipv6": _accepts(ipaddress.IPv6Address),
    "cidr": _is_cidr,
    "mac": _matches(r"^(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$"),
    "uuid": _matches(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matches(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matches(_UUID % ("4", "[89ab]")),
    "uuid5": _matches(_UUID % ("5", "[89ab]")),
    "isbn": _matches(r"^(?:97[89][- ]?)?(?:\d[- ]?){9}[\dX]$"),
    "isbn10": _matches(r"^(?:\d[- ]?){9}[\dX]$"),
    "isbn13": _matches(r"^97[89][- ]?(?:\d[- ]?){10}$"),
    "creditcard": _matches(r"^\d{13,19}$"),
    "ssn": _matches(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"),
    "hexcolor": _matches(r"^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    "rgbcolor": _matches(r"^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$"),
    "byte": _is_base64,
    "password": lambda _text: True,
    "date": _is_date,
    "duration": lambda text: _DURATION.match(text) is not None,
    "datetime": _is_moment,
    "date-time": _is_moment,
    "k8s-short-name": lambda text: not dns1123_label(text),
    "k8s-long-name": lambda text: not dns1123_subdomain(text),
}
# Dashes in the names of formats mean nothing.
_BY_NAME = {name.replace("-", ""): rule for name, rule in FORMATS.items()}
_OF_NUMBERS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def is_known(schema: Schema) -> bool:
    """Whether the format of a schema means anything for the type of its values."""
    type_, name = schema.get("type") or "", schema.get("format") or ""
    if type_ in ("", "string"):
        return name.replace("-", "") in _BY_NAME
    return name in _OF_NUMBERS.get(type_, ())


def has_format(text: str, name: str) -> bool:
    """Whether a text has a format; every text has one that nobody knows."""
    rule = _BY_NAME.get(name.replace("-", ""))
    return rule is None or rule(text)
