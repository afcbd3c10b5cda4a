"""Checks plain JSON against a schema and tells what is wrong in upstream's words. Pure.

A value, its schema and the name of the root go in; `FieldError`s come out. Upstream's validator is a general one whose
messages carry the path a second time ("spec.size in body should be ..."); so do these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from pybernetes.api.json_schema import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    Schema,
    additional,
    items,
    joined,
    properties,
)
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.apiserver.custom.formats import FORMATS
from pybernetes.apiserver.custom.patterns import PatternError, compiled

_INT_RANGES = {"int32": 2**31, "int64": 2**63}
NOWHERE = "<nil>"


def validate(value: Any, schema: Schema, path: str = "", root: str = "", old: Any = None) -> list[FieldError]:
    """What is wrong; `root` is the field that the value is, `path` its name in messages.

    What an update leaves as it was in `old` is not held against it, even if the schema has become stricter since.
    """
    return list(_Check(root).errors(value, schema, path, old))


class _Check:
    """One validation; errors are found in upstream's order: type, alternatives, scalars, items, enum, fields."""

    def __init__(self, root: str) -> None:
        self._root = root

    def errors(self, value: Any, schema: Schema, path: str, old: Any = None) -> Iterator[FieldError]:
        if old is not None and _canonical(value) == _canonical(old):
            return
        yield from self._type(value, schema, path)
        if value is not None:
            yield from self._alternatives(value, schema, path)
            if isinstance(value, str):
                yield from self._text(value, schema, path)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield from self._number(value, schema, path)
            elif isinstance(value, list):
                yield from self._items(value, schema, path, old)
        yield from self._enum(value, schema, path)
        if isinstance(value, dict):
            yield from self._fields(value, schema, path, old if isinstance(old, dict) else {})

    def _at(self, path: str) -> str:
        return joined(self._root, path) if path else self._root

    def _wrong(self, path: str, value: Any, why: str) -> FieldError:
        return invalid(self._at(path) or NOWHERE, value, f"{path} in body {why}")

    def _wrong_type(self, path: str, wanted: str, found: str) -> FieldError:
        detail = f'{path} in body must be of type {wanted}: "{found}"'
        return FieldError("FieldValueTypeInvalid", self._at(path) or NOWHERE, detail, found)

    def _type(self, value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
        wanted = types_of(schema)
        if value is None:
            if wanted and not schema.get("nullable"):
                yield self._wrong_type(path, ",".join(wanted), "null")
            return
        found, found_format = _described(value)
        asked_format = schema.get("format") or ""
        fits = found in wanted or (found == "integer" and "number" in wanted)
        fits = fits or (isinstance(value, float) and value.is_integer() and "integer" in wanted)
        if asked_format and not isinstance(value, str | list) and not fits and found_format != asked_format:
            yield self._wrong_type(path, asked_format, found_format)
            return
        numeric = "number" in wanted or "integer" in wanted
        if not wanted or (asked_format and not numeric and isinstance(value, str | list)):
            return
        if not fits:
            yield self._wrong_type(path, ",".join(wanted), found)

    def _alternatives(self, value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
        any_of = schema.get("anyOf")
        if any_of and not any(self._is_valid(value, option, path) for option in any_of):
            yield _nowhere(f'"{path}" must validate at least one schema (anyOf)')
        if one_of := schema.get("oneOf"):
            valid = sum(self._is_valid(value, option, path) for option in one_of)
            if valid != 1:
                detail = "Found none valid" if not valid else f"Found {valid} valid alternatives"
                yield _nowhere(f'"{path}" must validate one and only one schema (oneOf). {detail}')
        for option in schema.get("allOf") or ():
            yield from self.errors(value, option, path)
        refused = schema.get("not")
        if refused is not None and self._is_valid(value, refused, path):
            yield _nowhere(f'"{path}" must not validate the schema (not)')

    def _is_valid(self, value: Any, schema: Schema, path: str) -> bool:
        return next(self.errors(value, schema, path), None) is None

    def _text(self, value: str, schema: Schema, path: str) -> Iterator[FieldError]:
        most, least, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
        if most is not None and len(value) > most:
            yield FieldError("FieldValueTooLong", self._at(path), f"may not be more than {most} bytes", value)
        if least is not None and len(value) < least:
            yield self._wrong(path, value, f"should be at least {least} chars long")
        if pattern and not _matches(pattern, value):
            yield self._wrong(path, value, f"should match '{pattern}'")
        name = schema.get("format")
        if name and (rule := FORMATS.get(name)) is not None and not rule(value):
            detail = f'{path} in body must be of type {name}: "{value}"'
            yield FieldError("FieldValueTypeInvalid", self._at(path) or NOWHERE, detail, value)

    def _number(self, value: float, schema: Schema, path: str) -> Iterator[FieldError]:
        yield from _range(value, schema, path)
        multiple, most, least = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
        if multiple and not (value / multiple).is_integer():
            yield self._wrong(path, value, f"should be a multiple of {_bound(multiple, value)}")
        if most is not None:
            exclusive = bool(schema.get("exclusiveMaximum"))
            if value > most or (exclusive and value == most):
                word = "less than" if exclusive else "less than or equal to"
                yield self._wrong(path, value, f"should be {word} {_bound(most, value)}")
        if least is not None:
            exclusive = bool(schema.get("exclusiveMinimum"))
            if value < least or (exclusive and value == least):
                word = "greater than" if exclusive else "greater than or equal to"
                yield self._wrong(path, value, f"should be {word} {_bound(least, value)}")

    def _items(self, value: list[Any], schema: Schema, path: str, old: Any) -> Iterator[FieldError]:
        inner = items(schema)
        if inner is not None:
            before = _by_keys(old, schema)
            for index, item in enumerate(value):
                yield from self.errors(item, inner, f"{path}[{index}]", before.get(_keys(item, schema)))
        most, least = schema.get("maxItems"), schema.get("minItems")
        if least is not None and len(value) < least:
            yield self._wrong(path, len(value), f"should have at least {least} items")
        if most is not None and len(value) > most:
            yield FieldError("FieldValueTooMany", self._at(path), f"must have at most {most} items", len(value))
        if schema.get("uniqueItems") and len({_canonical(item) for item in value}) < len(value):
            yield self._wrong(path, "", "shouldn't contain duplicates")

    def _enum(self, value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
        allowed = schema.get("enum")
        if not allowed or _canonical(value) in {_canonical(item) for item in allowed}:
            return
        if value is None and schema.get("nullable"):
            return
        shown = [item if isinstance(item, str) else json.dumps(item) for item in allowed]
        yield not_supported(self._at(path) or NOWHERE, value, shown)

    def _fields(self, value: dict[str, Any], schema: Schema, path: str, old: dict[str, Any]) -> Iterator[FieldError]:
        least, most = schema.get("minProperties"), schema.get("maxProperties")
        if least is not None and len(value) < least:
            yield self._wrong(path, len(value), f"should have at least {least} properties")
            return
        if most is not None and len(value) > most:
            yield FieldError("FieldValueTooMany", self._at(path), f"must have at most {most} items", len(value))
            return
        known, extra = properties(schema), additional(schema)
        if extra is not None:
            for name, held in value.items():
                if name not in known:
                    yield from self.errors(held, extra, joined(path, name), old.get(name))
        for name, inner in known.items():
            if name in value:
                yield from self.errors(value[name], inner, joined(path, name), old.get(name))
        for name in _required(schema):
            if name not in value:
                yield required(self._at(joined(path, name)))


def _keys(item: Any, schema: Schema) -> str:
    """What tells the items of a list map apart; empty for what is no such item."""
    if schema.get(LIST_TYPE) != "map" or not isinstance(item, dict):
        return ""
    return _canonical([item.get(key) for key in schema.get(LIST_KEYS) or ()])


def _by_keys(old: Any, schema: Schema) -> dict[str, Any]:
    """The items of a former list map by their keys; items of other lists have no former selves."""
    if not isinstance(old, list):
        return {}
    return {key: item for item in old if (key := _keys(item, schema))}


def types_of(schema: Schema) -> Sequence[str]:
    """The JSON types that a value may have; none means any."""
    if schema.get(INT_OR_STRING):
        return ("integer", "string")
    wanted = schema.get("type")
    return (wanted,) if wanted else ()


def _required(schema: Schema) -> list[str]:
    names: list[str] = schema.get("required") or []
    return list(dict.fromkeys([*names, "apiVersion", "kind"])) if schema.get(EMBEDDED) else names


def _described(value: Any) -> tuple[str, str]:
    """The JSON type and the format of a value, as the validator calls them."""
    if isinstance(value, bool):
        return "boolean", ""
    if isinstance(value, int):
        return "integer", "int64"
    if isinstance(value, float):
        return "number", "float64"
    if isinstance(value, str):
        return "string", ""
    return ("array", "") if isinstance(value, list) else ("object", "")


def _range(value: float, schema: Schema, path: str) -> Iterator[FieldError]:
    """Integers must fit their format whatever minimum and maximum say."""
    if "integer" not in types_of(schema):
        return
    name = schema.get("format") or ""
    limit = _INT_RANGES.get(name, 2**63)
    if (isinstance(value, float) and not value.is_integer()) or not -limit <= value < limit:
        told = f"with format {name}" if name else "(default format)"
        yield _nowhere(f"Checked value must be of type integer {told} in {path}")


def _nowhere(detail: str) -> FieldError:
    return invalid(NOWHERE, "", detail)


def _bound(bound: float, value: float) -> str:
    """A limit as the message shows it: as an integer for integers, as Go's %v prints floats for floats."""
    if isinstance(value, int):
        return str(int(bound))
    return go_float(float(bound))


def go_float(number: float) -> str:
    """A float as Go's `%v` prints it."""
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)  # a JSON number is finite
    size = len(digits) + exponent - 1
    if -4 <= size < 6:
        return f"{Decimal(repr(number)).normalize():f}"
    text = "".join(map(str, digits))
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{fraction}e{size:+03d}"


def _canonical(value: Any) -> str:
    """Text that is equal for equal JSON values, and for 1 and 1.0; True is no 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def _matches(pattern: str, value: str) -> bool:
    try:
        found = compiled(pattern)
    except PatternError:
        return True
    return found.search(value) is not None
