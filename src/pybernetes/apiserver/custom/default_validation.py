"""Whether the defaults of a schema obey it, in upstream's words. Pure; called by `schema_validation`.

A structural schema and its path go in, what is wrong with its defaults comes out: unknown fields, metadata that is
none, values that break the schema or its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from pybernetes.api.json_schema import EMBEDDED, TYPE_FIELDS, Schema, items, properties
from pybernetes.api.status import FieldError, invalid
from pybernetes.api.turn import spend
from pybernetes.apiserver.custom.demands import Demands, walk
from pybernetes.apiserver.custom.embedded import embedded_errors, metadata_problem
from pybernetes.apiserver.custom.expressions import expression_errors, schema_rules
from pybernetes.apiserver.custom.schema import prune
from pybernetes.apiserver.custom.validation import validate

# What looking at one part takes, and at its default, as turns reckon.
_EACH, _EACH_DEFAULT = 10, 100
# Puts a value where the schema that it is a default of stands, within an object that is otherwise bare.
_Surround = Callable[[Any], Any]


class _Place(NamedTuple):
    """The object that a part belongs to: its schema, the way to the part, whether that is in what all objects have."""

    root: Schema
    surround: _Surround
    in_header: bool = False


def default_errors(schema: Schema, path: str, demands: Demands) -> Iterator[FieldError]:
    """What is wrong with the defaults of a whole version."""
    root = {**schema, EMBEDDED: True}
    yield from _errors(root, path, _Place(root, _object), demands)


def has_unpruned_default(schema: Schema) -> bool:
    """Whether a default has fields that the schema does not know."""
    return any(part.get("default") is not None and _is_unpruned(part) for part in walk(schema))


def _object(value: Any) -> Any:
    return {**value, "kind": "Validation", "apiVersion": "validation/v1"}


def _errors(schema: Schema, path: str, place: _Place, demands: Demands) -> Iterator[FieldError]:
    if schema.get(EMBEDDED):
        place = _Place(schema, _object)
    held = schema.get("default")
    spend(_EACH if held is None else _EACH_DEFAULT)
    if held is not None:
        yield from _own_errors(schema, f"{path}.default", held, place, demands)
    inner = items(schema)
    if inner is not None:
        below = place._replace(surround=lambda value: place.surround([value]))
        yield from _errors(inner, f"{path}.items", below, demands)
    for name, part in properties(schema).items():
        in_header = place.in_header or bool(schema.get(EMBEDDED) and name in TYPE_FIELDS)
        below = _Place(place.root, _within(place.surround, name), in_header)
        yield from _errors(part, f"{path}.properties[{name}]", below, demands)


def _within(surround: _Surround, name: str) -> _Surround:
    return lambda value: surround({name: value})


def _own_errors(schema: Schema, path: str, held: Any, place: _Place, demands: Demands) -> Iterator[FieldError]:
    if place.in_header:
        problems = _header_errors(place, held)
        if problems:
            told = str(problems[0]) if len(problems) == 1 else f"[{', '.join(map(str, problems))}]"
            yield invalid(path, held, f"must result in valid metadata: {told}")
            return
    else:
        if demands.pruned_defaults and _is_unpruned(schema):
            yield invalid(path, held, "must not have unknown fields")
        problem = metadata_problem(held, schema, path)
        problems = [problem] if problem is not None else list(embedded_errors(held, schema, path))
        if problems:
            yield from problems
            return
    problems = validate(held, schema, root=path)
    yield from problems or _rule_errors(schema, path, held, place)


def _header_errors(place: _Place, held: Any) -> list[FieldError]:
    value = place.surround(msgspec.to_builtins(held))
    problem = metadata_problem(value, place.root, "")
    return [problem] if problem is not None else list(embedded_errors(value, place.root, ""))


def _is_unpruned(schema: Schema) -> bool:
    copied: Any = msgspec.to_builtins(schema["default"])
    return bool(prune(copied, schema))


def _rule_errors(schema: Schema, path: str, held: Any, place: _Place) -> list[FieldError]:
    """A default holds both as what has been there before and as what is new."""
    rules = schema_rules(schema, is_root=schema is place.root)
    if rules is None:
        return []
    return expression_errors(rules, held, held, path) or expression_errors(rules, held, None, path)
