"""Rules in CEL that a schema's author wrote for its values, evaluated: `x-kubernetes-validations`. Pure.

A schema becomes a `SchemaRules` once; new and old documents go in, what the rules have against the new one comes out.
What an update leaves as it was is not held against it. Called by `strategy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from pybernetes.api.json_schema import (
    LIST_KEYS,
    LIST_TYPE,
    VALIDATIONS,
    Schema,
    additional,
    items,
    joined,
    properties,
)
from pybernetes.api.status import OMITTED, FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.apiserver.custom.compiled_rules import CompiledRule, compiled_rule
from pybernetes.apiserver.custom.correlation import Correlation
from pybernetes.apiserver.custom.rule_paths import rule_path
from pybernetes.apiserver.custom.validation import NOWHERE
from pybernetes.cel import Budget, CostExceeded, EvaluationError
from pybernetes.cel.schemas import Declared, declare, parts
from pybernetes.cel.values import NONE, Optional

# What all rules together may cost for one object.
_BUDGET = 10_000_000
_LONGEST_MESSAGE = 5 * 1024
_NO_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


@dataclass
class SchemaRules:
    """The rules of one place of a schema, and of the places inside."""

    declared: Declared
    schema: Schema
    rules: list[CompiledRule]
    items: SchemaRules | None = None
    extra: SchemaRules | None = None
    fields: dict[str, SchemaRules] = field(default_factory=dict)
    # Rules in alternatives that all apply.
    all_of: list[SchemaRules] = field(default_factory=list)


def schema_rules(schema: Schema, *, is_root: bool = True) -> SchemaRules | None:
    """The rules of a whole version, or of a part; None when it has none that could be evaluated."""
    return _rules(schema, schema, declare(schema, is_root=is_root))


def _rules(source: Schema, schema: Schema, declared: Declared | None) -> SchemaRules | None:
    """The rules that `source` (the schema itself, or one of its alternatives) has for the values of `schema`."""
    if declared is None:
        return None
    found = SchemaRules(declared, schema, [compiled_rule(rule, declared) for rule in source.get(VALIDATIONS) or ()])
    inside = {place: (held, inner) for place, held, inner in parts(schema, declared)}
    for place, part in _places(source):
        if place not in inside:
            continue
        below = _rules(part, *inside[place])
        if below is None:
            continue
        if place == "items":
            found.items = below
        elif place == "additionalProperties":
            found.extra = below
        else:
            found.fields[place[len("properties[") : -1]] = below
    for option in source.get("allOf") or ():
        below = _rules(option, schema, declared)
        if below is not None:
            found.all_of.append(below)
    return found if found.rules or found.items or found.extra or found.fields or found.all_of else None


def _places(schema: Schema) -> Iterator[tuple[str, Schema]]:
    inner, extra = items(schema), additional(schema)
    if inner is not None:
        yield "items", inner
    if extra is not None:
        yield "additionalProperties", extra
    for name, held in properties(schema).items():
        yield f"properties[{name}]", held


def expression_errors(
    rules: SchemaRules, new: Any, old: Any, path: str = "", past: Correlation | None = None
) -> list[FieldError]:
    """What the rules have against a document; `old` is None on create, `path` the place of what is no whole one.

    `past` tells what an update left as it was, which is not held against it.
    """
    run = _Run()
    with suppress(_OutOfBudget):
        run.check(rules, new, old, _Past(past), path)
    return run.errors


class _OutOfBudget(Exception):
    """No further rule is evaluated; why stands among the errors."""


class _Past(NamedTuple):
    """What there was at a place before; where nothing belongs to it, what there was around."""

    here: Correlation | None
    around: Correlation | None = None

    @property
    def is_same(self) -> bool:
        known = self.here if self.here is not None else self.around
        return known is not None and known.is_same

    def field(self, name: str) -> _Past:
        return self if self.here is None else _Past(self.here.key(name), self.here)

    def item(self, index: int) -> _Past:
        return self if self.here is None else _Past(self.here.index(index), self.here)


class _Run:
    """One validation of one object."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._left = _BUDGET

    def check(self, rules: SchemaRules, new: Any, old: Any, past: _Past, path: str) -> None:
        if new is None:
            return
        if rules.rules:
            self._evaluate_all(rules, new, old, past, path)
        for option in rules.all_of:
            self.check(option, new, old, _Past(None, past.around), path)
        if isinstance(new, list):
            self._check_items(rules, new, old, past, path)
        elif isinstance(new, dict):
            self._check_fields(rules, new, old, past, path)

    def _check_items(self, rules: SchemaRules, new: list[Any], old: Any, past: _Past, path: str) -> None:
        if rules.items is None:
            return
        keys = rules.schema.get(LIST_KEYS) or () if rules.schema.get(LIST_TYPE) == "map" else ()
        before = {_keys(item, keys): item for item in old or ()} if keys and isinstance(old, list) else {}
        for index, item in enumerate(new):
            held = before.get(_keys(item, keys)) if keys else None
            self.check(rules.items, item, held, past.item(index), f"{path}[{index}]")

    def _check_fields(self, rules: SchemaRules, new: dict[str, Any], old: Any, past: _Past, path: str) -> None:
        before: Mapping[str, Any] = old if isinstance(old, dict) else {}
        for name, value in new.items():
            below = rules.fields.get(name)
            place = joined(path, name)
            if below is None and rules.extra is not None and not rules.fields:
                below, place = rules.extra, f"{path}[{name}]"
            if below is not None:
                self.check(below, value, before.get(name), past.field(name), place)

    def _evaluate_all(self, rules: SchemaRules, new: Any, old: Any, past: _Past, path: str) -> None:
        shown = OMITTED if isinstance(new, dict | list) else new
        field_name = path or NOWHERE
        try:
            values = {"self": rules.declared.value(new)}
            before = rules.declared.value(old)
        except EvaluationError as error:
            self.errors.append(invalid(field_name, shown, str(error)))
            return
        for rule in rules.rules:
            if rule.problem:
                self.errors.append(invalid(field_name, shown, f"rule compile error: {rule.problem}"))
            elif rule.program is not None:
                self._evaluate(rule, {**values, **_old(rule, before)}, lambda: past.is_same, (field_name, shown))

    def _evaluate(
        self, rule: CompiledRule, values: dict[str, Any], is_same: Callable[[], bool], at: tuple[str, Any]
    ) -> None:
        """One rule. A rule that reads oldSelf needs one, unless it takes an optional one."""
        if rule.uses_old and "oldSelf" not in values:
            return
        assert rule.program is not None
        budget = Budget()
        try:
            holds = rule.program.evaluate(values, budget)
        except EvaluationError as error:
            self._spend(budget, _NO_BUDGET, at)
            self._failed(error, rule, at)
            return
        self._spend(budget, _NO_BUDGET, at)
        if holds is True or (not rule.uses_old and is_same()):
            return
        place = at[0]
        if rule.source.get("fieldPath"):
            place = rule_path(str(rule.source["fieldPath"]), "" if place == NOWHERE else place)
        detail = self._message(rule, values, (place, at[1])) or rule.source.get("message", "").strip()
        self.errors.append(_error(rule.source.get("reason"), place, at[1], detail or f"failed rule: {rule.shown}"))

    def _spend(self, budget: Budget, problem: str, at: tuple[str, Any]) -> None:
        self._left -= budget.spent
        if self._left < 0:
            self.errors.append(invalid(*at, problem))
            raise _OutOfBudget

    def _failed(self, error: EvaluationError, rule: CompiledRule, at: tuple[str, Any]) -> None:
        if isinstance(error, CostExceeded):
            detail = f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: "
            self.errors.append(invalid(*at, detail + rule.shown))
            raise _OutOfBudget
        if str(error).startswith("no such overload"):
            detail = (
                f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: "
            )
            self.errors.append(invalid(*at, detail + rule.shown))
            return
        self.errors.append(invalid(*at, f"{error} evaluating rule: {rule.shown}"))

    def _message(self, rule: CompiledRule, values: dict[str, Any], at: tuple[str, Any]) -> str:
        """What the rule's own expression says of the failure; nothing when it says nothing fit to show."""
        if rule.message is None:
            return ""
        budget = Budget()
        problem = (
            "messageExpression evaluation failed due to running out of cost budget, "
            "no further validation rules will be run"
        )
        try:
            text = rule.message.evaluate(values, budget)
        except CostExceeded:
            detail = "no further validation rules will be run due to call cost exceeds limit for messageExpression: "
            self.errors.append(invalid(*at, f'{detail}"{rule.source["messageExpression"]}"'))
            raise _OutOfBudget from None
        except EvaluationError:
            self._spend(budget, problem, at)
            return ""
        self._spend(budget, problem, at)
        return fit_message(text)


def fit_message(text: Any) -> str:
    """The text of a message expression; empty for one that is too long or has several lines."""
    stripped = text.strip() if isinstance(text, str) else ""
    return "" if len(stripped.encode()) > _LONGEST_MESSAGE or "\n" in stripped else stripped


def _old(rule: CompiledRule, before: Any) -> dict[str, Any]:
    if rule.takes_optional_old:
        return {"oldSelf": NONE if before is None else Optional(before, True)}
    return {} if before is None else {"oldSelf": before}


def _keys(item: Any, keys: Any) -> bytes:
    return msgspec.json.encode([item.get(key) for key in keys], order="sorted") if isinstance(item, dict) else b""


def _error(reason: str | None, place: str, shown: Any, detail: str) -> FieldError:
    if reason == "FieldValueForbidden":
        return forbidden_field(place, detail)
    if reason == "FieldValueRequired":
        return required(place, detail)
    if reason == "FieldValueDuplicate":
        return duplicate(place, shown)
    return invalid(place, shown, detail)
