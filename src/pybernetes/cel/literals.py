"""What the literals of an expression mean. Pure.

The text of a token goes in, its value comes out; ValueError, with CEL's words, when it has none. Called by the parser.
"""

from __future__ import annotations

import re

from pybernetes.cel.values import INT_MAX, INT_MIN, UINT_MAX, Uint

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))", re.DOTALL)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "`": "`",
    "?": "?",
}


def integer(text: str) -> int:
    """A signed number, its minus included."""
    value = int(text, 16) if "0x" in text else int(text)
    if not INT_MIN <= value <= INT_MAX:
        raise ValueError("invalid int literal")
    return value


def unsigned(text: str) -> Uint:
    digits = text[:-1]
    value = int(digits, 16) if "0x" in digits else int(digits)
    if value > UINT_MAX:
        raise ValueError("invalid uint literal")
    return Uint(value)


def double(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("invalid double literal")
    return value


def string(text: str) -> str:
    body, is_raw = _body(text)
    return body if is_raw else _ESCAPE.sub(_unescaped, body)


def byte_string(text: str) -> bytes:
    body, is_raw = _body(text[1:])
    if is_raw:
        return body.encode()
    result, place = b"", 0
    for match in _ESCAPE.finditer(body):
        result += body[place : match.start()].encode()
        code = match.group(3) or match.group(4)
        if code is not None:
            result += bytes([int(code, 16 if match.group(3) else 8)])
        else:
            result += _unescaped(match).encode()
        place = match.end()
    return result + body[place:].encode()


def _body(text: str) -> tuple[str, bool]:
    is_raw = text[0] in "rR"
    text = text[1:] if is_raw else text
    size = 3 if text[:3] in ('"""', "'''") and len(text) >= 6 else 1
    return text[size:-size].replace("\r\n", "\n").replace("\r", "\n"), is_raw


def _unescaped(match: re.Match[str]) -> str:
    short, long, code, octal, plain = match.groups()
    digits = short or long or code
    if digits is not None:
        value = int(digits, 16)
        if value > 0x10FFFF or 0xD800 <= value < 0xE000:
            raise ValueError("invalid unicode code point")
        return chr(value)
    if octal is not None:
        return chr(int(octal, 8))
    if plain not in _SIMPLE:
        raise ValueError("unable to unescape string")
    return _SIMPLE[plain]
