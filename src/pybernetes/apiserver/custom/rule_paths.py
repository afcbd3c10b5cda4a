"""Paths of fields that a schema knows: `.spec.name` or `['x-y'].name`, as rules and selectable fields have them. Pure.

A path and a schema go in; where it leads, or upstream's word for what is wrong with it, comes out. Called by the checks
of definitions and, for the `fieldPath` of a rule, by `expressions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pybernetes.api.json_schema import Schema, additional, joined, properties

_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}
_END = "unexpected end of JSON path"
_NOWHERE = "does not refer to a valid field"


class PathProblem(ValueError):
    """A path that leads nowhere; the message is upstream's."""


def located(path: str, schema: Schema, *, brackets: bool = True) -> tuple[list[str], Schema]:
    """The names on the way and the schema at the end; PathProblem for a path that leads nowhere."""
    names = []
    for name in _names(path, brackets):
        known = properties(schema)
        found = known.get(name) if known else additional(schema)
        if found is None:
            raise PathProblem(_NOWHERE)
        names.append(name)
        schema = found
    return names, schema


def leads_somewhere(path: str, schema: Schema) -> bool:
    """Whether a path ends at a field that the schema knows."""
    try:
        located(path, schema)
    except PathProblem:
        return False
    return True


def rule_path(path: str, place: str) -> str:
    """Where the error of a rule belongs."""
    for name in _names(path.strip(), True):
        place = joined(place, name)
    return place


def _names(path: str, brackets: bool) -> Iterator[str]:
    tokens = _tokens(path)
    for token in tokens:
        if token == ".":
            yield _next(tokens)
        elif token != "[":
            raise PathProblem(f"expected [ or . but got: {token}")
        elif not brackets:
            raise PathProblem("array notation is not allowed")
        else:
            yield _quoted(_next(tokens))
            if (closing := _next(tokens)) != "]":
                raise PathProblem(f"expected ] but got {closing}")


def _next(tokens: Iterator[str]) -> str:
    token = next(tokens, None)
    if token is None:
        raise PathProblem(_END)
    return token


def _tokens(path: str) -> Iterator[str]:
    """Dots, brackets, quoted texts, and what is between them; a quote that does not end goes to the end."""
    while path:
        match = re.match(r"'.*?(?<!\\)'|[.\[\]]|[^.\[\]'][^.\[\]]*", path, re.DOTALL)
        token = match[0] if match is not None else path
        yield token
        path = path[len(token) :]


def _quoted(token: str) -> str:
    if len(token) < 2 or token[0] != "'" or token[-1] != "'":
        raise PathProblem(f"expected single quoted string but got {token}")
    return re.sub(r"\\.", _unescaped, token[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    found = _ESCAPED.get(match[0][1])
    if found is None:
        raise PathProblem(f"invalid string literal: invalid escape char {match[0]}")
    return found
