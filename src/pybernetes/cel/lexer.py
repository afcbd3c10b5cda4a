"""The words of an expression. Pure.

A source goes in; tokens come out, and what is no token is reported as a problem. Called by the parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pybernetes.cel.source import Problems

END = "<EOF>"
_STRING = (
    r"""(?:[rR])?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^\\\n\r"]|\\.)*"|'(?:[^\\\n\r']|\\.)*')"""
)
_RAW = r"""[rR](?:\"\"\".*?\"\"\"|'''.*?'''|"[^\n\r"]*"|'[^\n\r']*')"""
_TOKEN = re.compile(
    rf"""(?P<space>[\t \r\n\x0c]+|//[^\n]*)
    |(?P<BYTES>[bB](?:{_RAW}|{_STRING}))
    |(?P<STRING>{_RAW}|{_STRING})
    |(?P<NUM_FLOAT>[0-9]+(?:\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    |(?P<NUM_UINT>(?:0x[0-9a-fA-F]+|[0-9]+)[uU])
    |(?P<NUM_INT>0x[0-9a-fA-F]+|[0-9]+)
    |(?P<ESC_IDENTIFIER>`[a-zA-Z0-9_./ -]+`)
    |(?P<IDENTIFIER>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>==|!=|<=|>=|&&|\|\||[<>\[\]{{}}().,\-!?:+*/%])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_WORDS = frozenset(("true", "false", "null", "in"))


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is the text itself for operators and for the words true, false, null and in."""

    kind: str
    text: str
    position: int


def tokens(problems: Problems) -> list[Token]:
    """The tokens of the source, the last of which is the end."""
    text = problems.source.text
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            place = _skip(text, place, problems)
            continue
        kind = match.lastgroup or ""
        word = match.group()
        if kind == "operator" or word in _WORDS:
            kind = word
        if kind != "space":
            found.append(Token(kind, word, place))
        place = match.end()
    found.append(Token(END, END, len(text)))
    return found


def _skip(text: str, place: int, problems: Problems) -> int:
    """Reports what begins no token: one character, or a string that does not end."""
    end = place + 1
    if text[place] in "\"'":
        ends = [at for at in (text.find("\n", place), text.find("\r", place)) if at >= 0]
        end = min(ends) if ends else len(text)
    problems.add(place, f"Syntax error: token recognition error at: '{text[place:end]}'")
    return end
