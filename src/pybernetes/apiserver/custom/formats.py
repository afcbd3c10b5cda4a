"""The `format`s of strings that schemas may ask for, and whether a text has one. Pure.

A schema or a text goes in, a yes or no comes out. Formats that are not in the table are ignored, as upstream ignores
them; `definition_warnings` tells the author.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from pybernetes.api import duration
from pybernetes.api.ip_addresses import is_cidr, is_ip_address
from pybernetes.api.json_schema import Schema
from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.time import parse as parse_time

Rule = Callable[[str], bool]
_UUID = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}\Z"
_CARD = (
    r"(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|6(?:011|5\d\d)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11}|6[27]\d{14})"
)
_BYTE = r"(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})\Z"
# The dashes of a name without dots may only follow its first letter; so upstream has it.
_HOST = r"^(?:x(?:-?x{0,62})?|(?:x(?:[x-]{0,61}x)?\.)+x(?:-?x){1,62})\Z"
_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+"
_QUOTED = r'"(?:[^"\\\r\n]|\\.)*"'
_WORD = rf"(?:{_ATOM}|{_QUOTED})(?:\.{_ATOM})*"
_ADDRESS = rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_ATOM}(?:\.{_ATOM})*|\[[^\[\]\\]*\])"
_EMAIL = rf"^\s*(?:{_ADDRESS}|(?:{_WORD}(?:\s+{_WORD})*\s*)?<\s*{_ADDRESS}\s*>)\s*\Z"
# What may stand in the host of an URI as it is; anything beyond ASCII may too.
_AUTHORITY = (
    r"^(?:[A-Za-z0-9\-._~!$&'()*+,;=:%@]*@)?"
    r"(?:\[[^\[\]]*\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=<>\"\u0080-\U0010ffff]|%25)*)(?::[0-9]*)?\Z"
)
_LONG_UNITS = ("nano", "µs", "micro", "milli", "sec", "min", "hour", "day", "week")
_UNITS = ("ns", "us", "ms", "s", "m", "h", "hr", "d", "w", "wk")


def _matches(pattern: str) -> Rule:
    return lambda text: re.search(pattern, text, re.ASCII) is not None


def _parses(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None and _parses(parse_time, f"{text}T00:00:00Z")


def _is_moment(text: str) -> bool:
    date, _, rest = text.lower().partition("t")
    clock = re.match(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})\Z", rest.partition("t")[0])
    return _is_date(date) and clock is not None and clock[1] <= "23" and max(clock[2], clock[3]) <= "59"


def _is_duration(text: str) -> bool:
    """As Go writes it, or whole numbers with words for units, of which one must be known."""
    if _parses(duration.parse, text):
        return True
    if re.search(r"^\s*(?:[0-9]+\s*[A-Za-zµ]+\s*)+\Z", text) is None:
        return False
    found = [unit.lower() for unit in re.findall(r"[A-Za-zµ]+", text)]
    return any(unit in _UNITS or unit.startswith(_LONG_UNITS) for unit in found)


def _is_uri(text: str) -> bool:
    """As the first line of a request may have it: an absolute URI, or a path from the root."""
    if not text or re.search(r"[\x00-\x1f\x7f]", text) or text.startswith(":"):
        return False
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", text)
    rest = (text[scheme.end() :] if scheme else text).partition("?")[0]
    if not rest.startswith("/"):
        return scheme is not None or text == "*"
    if scheme and rest.startswith("//"):
        authority, _, rest = rest[2:].partition("/")
        if re.search(_AUTHORITY, authority) is None:
            return False
    return re.search(r"%(?![0-9A-Fa-f]{2})", rest) is None


def _is_host(text: str) -> bool:
    if len(text.encode()) > 255 or any(len(label.encode()) > 63 for label in text.split(".")):
        return False
    return re.search(_HOST, "".join(map(_shape, text))) is not None


def _shape(letter: str) -> str:
    """`x` for letters, digits and symbols; dots and dashes stay, all else is out of place."""
    if letter in ".-":
        return letter
    is_digit = letter.isascii() and letter.isdigit()
    return "x" if is_digit or unicodedata.category(letter)[0] in "LS" else "!"


def _is_mac(text: str) -> bool:
    pair = r"[0-9A-Fa-f]{2}"
    forms = [rf"{pair}(?:{mark}{pair}){{{count}}}" for mark in ":-" for count in (5, 7, 19)]
    forms += [rf"{pair * 2}(?:\.{pair * 2}){{{count}}}" for count in (2, 3, 9)]
    return any(re.fullmatch(form, text) for form in forms)


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if re.fullmatch(r"[0-9]{9}[0-9X]", digits) is None:
        return False
    return sum(at * (10 if digit == "X" else int(digit)) for at, digit in enumerate(digits, 1)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if re.fullmatch(r"[0-9]{13}", digits) is None:
        return False
    return sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(digits)) % 10 == 0


def _is_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return re.fullmatch(_CARD, digits) is not None and sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


FORMATS: dict[str, Rule] = {
    "bsonobjectid": _matches(r"^[0-9a-fA-F]{24}\Z"),
    "uri": _is_uri,
    "email": _matches(_EMAIL),
    "hostname": _is_host,
    "ipv4": lambda text: "." in text and is_ip_address(text),
    "ipv6": lambda text: ":" in text and is_ip_address(text),
    "cidr": is_cidr,
    "mac": _is_mac,
    "uuid": _matches(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matches(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matches(_UUID % ("4", "[89ab]")),
    "uuid5": _matches(_UUID % ("5", "[89ab]")),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_card,
    "ssn": _matches(r"^\d{3}[- ]\d{2}[- ]\d{4}\Z"),
    "hexcolor": _matches(r"^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z"),
    "rgbcolor": _matches(rf"^rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)\Z"),
    "byte": _matches(_BASE64),
    "password": lambda _text: True,
    "date": _is_date,
    "duration": _is_duration,
    "datetime": _is_moment,
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
