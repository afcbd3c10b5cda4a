"""The `fieldPath` of a rule: `.spec.name` or `['x-y'].name`, relative to the place of the rule. Pure.

A path and a schema go in; whether it leads to a field, or the path as errors name it, comes out.
"""

from __future__ import annotations

import re

from pybernetes.api.json_schema import Schema, additional, joined, properties

_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def steps(path: str) -> list[str] | None:
    """The names on the way; None for a path that is none."""
    names, place = [], 0
    for match in _STEP.finditer(path):
        if match.start() != place:
            return None
        quoted = match[2]
        names.append(
            match[1] if quoted is None else _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), quoted)
        )
        place = match.end()
    return names if place == len(path) else None


def leads_somewhere(path: str, schema: Schema) -> bool:
    """Whether a path ends at a field that the schema knows."""
    names = steps(path)
    if names is None:
        return False
    for name in names:
        known = properties(schema)
        found = known.get(name) if known else additional(schema)
        if found is None:
            return False
        schema = found
    return True


def rule_path(path: str, place: str) -> str:
    """Where the error of a rule belongs."""
    for name in steps(path.strip()) or ():
        place = joined(place, name)
    return place
