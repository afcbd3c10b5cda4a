"""Checks plain JSON against a schema and tells what is wrong in upstream's words. Pure.

A value, its schema and the name of the root go in; `FieldError`s come out. Upstream's validator is a general one whose
messages carry the path a second time ("spec.size in body should be ..."); so do these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pybernetes.api.json_schema import (
    INT_OR_STRING,
    Schema,
    additional,
    items,
    joined,
    properties,
)
from pybernetes.api.patterns import PatternError, compiled
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.turn import spend
from pybernetes.apiserver.custom.correlation import Correlation
from pybernetes.apiserver.custom.formats import has_format, is_known
from pybernetes.apiserver.custom.numbers import go_float

_INT_RANGES = {"int32": 2**31, "int64": 2**63}
NOWHERE = "<nil>"
_ALTERNATIVES = frozenset(("anyOf", "oneOf", "allOf", "not"))
# What looking at one value takes, as turns reckon.
_EACH = 15
# How many characters are told of one value: each of its parts may be told of with a long path, or a long pattern.
_TOLD_MAX = 10_000_000
_MORE = "and more"


def validate(
    value: Any, schema: Schema, path: str = "", root: str = "", past: Correlation | None = None
) -> list[FieldError]:
    """What is wrong; `root` is the field that the value is, `path` its name in messages.

    What an update leaves as it was is not held against it, even if the schema has become stricter since.
    """
    check = _Check(root)
    check.visit(value, schema, path, past)
    return check.errors


class _Shared:
    """What the checks of one value and its alternatives have in common."""

    def __init__(self) -> None:
        self.left = _TOLD_MAX
        self._choices: dict[int, tuple[frozenset[str], str]] = {}

    def choices(self, allowed: Sequence[Any]) -> tuple[frozenset[str], str]:
        """The values of an enumeration, and what is said of others."""
        found = self._choices.get(id(allowed))
        if found is None:
            spend(3 * len(allowed))
            shown = [item if isinstance(item, str) else json.dumps(item) for item in allowed]
            known = frozenset(map(_canonical, allowed))
            found = self._choices[id(allowed)] = known, not_supported("", None, shown).detail
        return found


class _Check:
    """One validation; errors are found in upstream's order: type, alternatives, scalars, items, enum, fields.

    `matched` counts what was checked, as upstream does to find the alternative that was meant.
    """

    def __init__(self, root: str, shared: _Shared | None = None) -> None:
        self._root = root
        self._shared = shared or _Shared()
        self._told = 0
        self.errors: list[FieldError] = []
        self.matched = 0

    def visit(self, value: Any, schema: Schema, path: str, past: Correlation | None = None) -> None:
        """Checks a value and what is inside."""
        # The whole object is never the same: its metadata is not in the schema.
        if path and past is not None and past.is_untouched:
            return
        begin = len(self.errors)
        self._visit(value, schema, path, past)
        if len(self.errors) > begin and past is not None and past.is_same:
            del self.errors[begin:]
        self._tell()

    def _tell(self) -> None:
        """Shortens what is too much to be told."""
        for index in range(self._told, len(self.errors)):
            error = self.errors[index]
            self._shared.left -= len(error.field) + len(error.detail)
            if self._shared.left < 0:
                self.errors[index] = FieldError(error.type, NOWHERE, _MORE)
        self._told = len(self.errors)

    def _visit(self, value: Any, schema: Schema, path: str, past: Correlation | None) -> None:
        if types_of(schema) or schema.get("format"):
            problem = next(self._type(value, schema, path), None)
            self.errors += (problem,) if problem is not None else ()
            self.matched += 1 if problem is not None else 2
        if value is not None:
            self._alternatives(value, schema, path)
            # Each of upstream's validators that a value concerns counts.
            self.matched += 4
            if isinstance(value, str):
                self.matched += 2 if schema.get("format") else 1
                self.errors += self._text(value, schema, path)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                self.matched += 2
                self.errors += self._number(value, schema, path)
            elif isinstance(value, list):
                self.matched += 2
                self._items(value, schema, path, past)
        self.errors += self._enum(value, schema, path)
        if isinstance(value, dict):
            self.matched += 1
            self._fields(value, schema, path, past)

    def _at(self, path: str) -> str:
        return joined(self._root, path.removeprefix(".")) if path else self._root

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
        asked_format = _format(schema)
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

    def _alternatives(self, value: Any, schema: Schema, path: str) -> None:
        """What the schema's alternatives say; what an update left as it was is held against it here."""
        if not _ALTERNATIVES.intersection(schema):
            return
        any_of = self._tried(value, schema.get("anyOf"), path)
        if any_of and not any(option.is_flawless for option in any_of):
            self.errors.append(_nowhere(f'"{path}" must validate at least one schema (anyOf)'))
        self._take(any_of)
        one_of = self._tried(value, schema.get("oneOf"), path)
        if one_of and (valid := sum(option.is_flawless for option in one_of)) != 1:
            detail = "Found none valid" if not valid else f"Found {valid} valid alternatives"
            self.errors.append(_nowhere(f'"{path}" must validate one and only one schema (oneOf). {detail}'))
        self._take(one_of)
        all_of = self._tried(value, schema.get("allOf"), path)
        for option in all_of:
            self._take([option])
        if not all(option.is_flawless for option in all_of):
            none = "" if any(option.is_flawless for option in all_of) else ". None validated"
            self.errors.append(_nowhere(f'"{path}" must validate all the schemas (allOf){none}'))
        refused = schema.get("not")
        if refused is not None and self._tried(value, [refused], path)[0].is_flawless:
            self.errors.append(_nowhere(f'"{path}" must not validate the schema (not)'))

    @property
    def is_flawless(self) -> bool:
        return not self.errors

    def _tried(self, value: Any, options: Sequence[Schema] | None, path: str) -> list[_Check]:
        found = []
        for option in options or ():
            check = _Check(self._root, self._shared)
            check.visit(value, option, path)
            found.append(check)
        return found

    def _take(self, options: Sequence[_Check]) -> None:
        """Of options of which one was meant, the first that fits, or else the one that almost did."""
        meant = next((option for option in options if option.is_flawless), None)
        meant = meant or max(options, key=lambda option: option.matched, default=None)
        if meant is not None:
            self.errors += meant.errors
            self.matched += meant.matched

    def _text(self, value: str, schema: Schema, path: str) -> Iterator[FieldError]:
        most, least, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
        if most is not None and len(value) > most:
            yield FieldError("FieldValueTooLong", self._at(path), f"may not be more than {most} bytes", value)
        elif least is not None and len(value) < least:
            yield self._wrong(path, value, f"should be at least {least} chars long")
        elif pattern and not _matches(pattern, value):
            yield self._wrong(path, value, f"should match '{pattern}'")
        name = _format(schema)
        if name and not has_format(value, name):
            detail = f'{path} in body must be of type {name}: "{value}"'
            yield FieldError("FieldValueTypeInvalid", self._at(path) or NOWHERE, detail, value)

    def _number(self, value: float, schema: Schema, path: str) -> Iterator[FieldError]:
        yield from _range(value, schema, path)
        multiple, most, least = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
        if multiple and not (value / multiple).is_integer():
            yield self._wrong(path, value, f"should be a multiple of {_bound(multiple, value)}")
        if least is not None:
            exclusive = bool(schema.get("exclusiveMinimum"))
            if value < least or (exclusive and value == least):
                word = "greater than" if exclusive else "greater than or equal to"
                yield self._wrong(path, value, f"should be {word} {_bound(least, value)}")
        if most is not None:
            exclusive = bool(schema.get("exclusiveMaximum"))
            if value > most or (exclusive and value == most):
                word = "less than" if exclusive else "less than or equal to"
                yield self._wrong(path, value, f"should be {word} {_bound(most, value)}")

    def _items(self, value: list[Any], schema: Schema, path: str, past: Correlation | None) -> None:
        inner = items(schema)
        if inner is not None:
            for index, item in enumerate(value):
                self.visit(item, inner, f"{path}[{index}]", past.index(index) if past is not None else None)
        most, least = schema.get("maxItems"), schema.get("minItems")
        if least is not None and len(value) < least:
            self.errors.append(self._wrong(path, len(value), f"should have at least {least} items"))
        if most is not None and len(value) > most:
            self.errors.append(self._too_many(path, len(value), most))
        if schema.get("uniqueItems") and len({_canonical(item) for item in value}) < len(value):
            self.errors.append(self._wrong(path, "", "shouldn't contain duplicates"))

    def _too_many(self, path: str, count: int, most: int) -> FieldError:
        return FieldError("FieldValueTooMany", self._at(path), f"must have at most {most} items", count)

    def _enum(self, value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
        allowed = schema.get("enum")
        if not allowed:
            return
        known, detail = self._shared.choices(allowed)
        if _canonical(value) in known or (value is None and schema.get("nullable")):
            return
        yield FieldError("FieldValueNotSupported", self._at(path) or NOWHERE, detail, value)

    def _fields(self, value: dict[str, Any], schema: Schema, path: str, past: Correlation | None) -> None:
        least, most = schema.get("minProperties"), schema.get("maxProperties")
        if least is not None and len(value) < least:
            self.errors.append(self._wrong(path, len(value), f"should have at least {least} properties"))
            return
        if most is not None and len(value) > most:
            self.errors.append(self._too_many(path, len(value), most))
            return
        known, extra = properties(schema), additional(schema)
        if extra is not None:
            for name, held in value.items():
                if name not in known:
                    self.visit(held, extra, f"{path}.{name}", _past_of(past, name, path))
        for name, inner in known.items():
            if name in value:
                self.visit(value[name], inner, joined(path, name), _past_of(past, name, path))
        self.errors += [required(self._at(f"{path}.{name}")) for name in _required(schema) if name not in value]


def _past_of(past: Correlation | None, name: str, path: str) -> Correlation | None:
    """What a field was; what kind an object is has never changed, since both are of the version that is asked."""
    if past is None or (not path and name in ("kind", "apiVersion")):
        return None
    return past.key(name)


def _required(schema: Schema) -> Sequence[str]:
    return schema.get("required") or ()


def _format(schema: Schema) -> str:
    """The format that values must have; empty where it means nothing."""
    name: str = schema.get("format") or ""
    return name if name and is_known(schema) else ""


def types_of(schema: Schema) -> Sequence[str]:
    """The JSON types that a value may have; none means any."""
    if schema.get(INT_OR_STRING):
        return ("integer", "string")
    wanted = schema.get("type")
    return (wanted,) if wanted else ()


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
