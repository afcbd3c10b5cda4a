"""What is wrong with a JSON text, in the words of Go's encoding/json, and whether it is nested too deeply.

Flow: bytes that a fast decoder has refused go in; the one-line error of Go's scanner comes out. Only error paths
call that; `is_too_deep` looks at every body before anything recurses into it.
"""

from __future__ import annotations

import re
from itertools import accumulate

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_END = "unexpected end of JSON input"
TOO_DEEP = "exceeded max depth"
# Deeper than any manifest, and shallow enough for Python's stack, in everything that a value goes through.
_MAX_DEPTH = 200
_ORDINARY = re.compile(r'[^"\\\x00-\x1f]*')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


class _Wrong(Exception):
    """Carries the message out of the recursive descent."""


def syntax_error(body: bytes) -> str:
    """Go's message for the first syntax error of `body`; empty when there is none."""
    # Go looks at bytes, one at a time.
    scanner = _Scanner(body.decode("latin-1"))
    try:
        scanner.value(0)
        scanner.skip()
        if scanner.position < len(scanner.text):
            scanner.fail("after top-level value")
    except _Wrong as wrong:
        return str(wrong)
    return ""


def is_too_deep(body: bytes) -> bool:
    """Whether a JSON text is nested more deeply than we read; texts that are no JSON may count as shallow."""
    if body.count(b"{") + body.count(b"[") <= _MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > _MAX_DEPTH


def _quoted(character: str) -> str:
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    escapes = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\\": r"\\"}
    if character not in escapes and not character.isprintable():
        code = ord(character)
        return f"'\\x{code:02x}'" if code < 0x80 else f"'\\u{code:04x}'"
    return f"'{escapes.get(character, character)}'"


class _Scanner:
    """A recursive descent over the text that keeps nothing but its position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def skip(self) -> None:
        match = _SPACE.match(self.text, self.position)
        assert match is not None  # the pattern matches the empty text
        self.position = match.end()

    def peek(self) -> str:
        if self.position >= len(self.text):
            raise _Wrong(_END)
        return self.text[self.position]

    def peek_special(self) -> str:
        """The next character of a string that is not simply a part of it."""
        match = _ORDINARY.match(self.text, self.position)
        assert match is not None  # the pattern matches the empty text
        self.position = match.end()
        return self.peek()

    def fail(self, context: str) -> None:
        raise _Wrong(f"invalid character {_quoted(self.peek())} {context}")

    def value(self, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise _Wrong(TOO_DEEP)
        self.skip()
        first = self.peek()
        if first == "{":
            self.members(depth)
        elif first == "[":
            self.items(depth)
        elif first == '"':
            self.string()
        elif first in "-0123456789":
            self.number()
        elif first in "tfn":
            self.literal({"t": "true", "f": "false", "n": "null"}[first])
        else:
            self.fail("looking for beginning of value")

    def members(self, depth: int) -> None:
        self.position += 1
        self.skip()
        if self.peek() == "}":
            self.position += 1
            return
        while True:
            self.skip()
            if self.peek() != '"':
                self.fail("looking for beginning of object key string")
            self.string()
            self.skip()
            if self.peek() != ":":
                self.fail("after object key")
            self.position += 1
            self.value(depth + 1)
            self.skip()
            if self.peek() == "}":
                self.position += 1
                return
            if self.peek() != ",":
                self.fail("after object key:value pair")
            self.position += 1

    def items(self, depth: int) -> None:
        self.position += 1
        self.skip()
        if self.peek() == "]":
            self.position += 1
            return
        while True:
            self.value(depth + 1)
            self.skip()
            if self.peek() == "]":
                self.position += 1
                return
            if self.peek() != ",":
                self.fail("after array element")
            self.position += 1

    def string(self) -> None:
        self.position += 1
        while (character := self.peek_special()) != '"':
            if character < " ":
                self.fail("in string literal")
            self.position += 1
            if character == "\\":
                self.escape()
        self.position += 1

    def escape(self) -> None:
        character = self.peek()
        if character not in '"\\/bfnrtu':
            self.fail("in string escape code")
        self.position += 1
        if character == "u":
            for _ in range(4):
                if self.peek() not in "0123456789abcdefABCDEF":
                    self.fail("in \\u hexadecimal character escape")
                self.position += 1

    def number(self) -> None:
        match = _NUMBER.match(self.text, self.position)
        if match is None:
            self.position += 1
            self.fail("in numeric literal")
            return
        self.position = match.end()
        rest = self.text[self.position : self.position + 1]
        literal = match.group()
        if rest == "." and "." not in literal and "e" not in literal.lower():
            self.position += 1
            self.fail("after decimal point in numeric literal")
        if rest in ("e", "E") and "e" not in literal.lower():
            self.position += 1
            if self.peek() in "+-":
                self.position += 1
            self.fail("in exponent of numeric literal")

    def literal(self, word: str) -> None:
        for expected in word:
            if self.peek() != expected:
                self.fail(f"in literal {word} (expecting '{expected}')")
            self.position += 1
