"""What rules in CEL must be for a definition to be accepted: well written, compiled, and not too expensive. Pure.

A schema and its path go in, what is wrong with the rules in it comes out, in upstream's words. Called by `structural`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pybernetes.api.json_schema import LIST_TYPE, VALIDATIONS, Schema, additional
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.apiserver.custom.compiled_rules import CompiledRule, compiled_rule, most_cost
from pybernetes.apiserver.custom.rule_paths import leads_somewhere
from pybernetes.cel.ranges import ENDLESS
from pybernetes.cel.schemas import REQUEST_BYTES, Declared, declare, parts

_RULE_LIMIT, _SCHEMA_LIMIT = 10_000_000, 100_000_000
_MOST_NAMED = 4
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)


def rule_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    """What is wrong with how the rules of one place are written, before any is compiled."""
    for index, rule in enumerate(schema.get(VALIDATIONS) or ()):
        place = f"{path}.{VALIDATIONS}[{index}]"
        yield from _text_errors(rule, place)
        expression, reason = rule.get("messageExpression") or "", rule.get("reason")
        if expression and not expression.strip():
            yield required(f"{place}.messageExpression", "messageExpression must be non-empty if specified")
        if reason and reason not in _REASONS:
            yield not_supported(f"{place}.reason", reason, _REASONS)
        yield from _path_errors(rule.get("fieldPath") or "", f"{place}.fieldPath", schema)


def _text_errors(rule: dict[str, Any], place: str) -> Iterator[FieldError]:
    text, message = rule.get("rule") or "", rule.get("message") or ""
    if not text.strip():
        yield required(f"{place}.rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid(f"{place}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid(f"{place}.message", message, "message must not contain line breaks")
    elif "\n" in text.strip() and not message.strip():
        yield required(f"{place}.message", "message must be specified if rule contains line breaks")


def _path_errors(path: str, place: str, schema: Schema) -> Iterator[FieldError]:
    if not path:
        return
    if not path.strip():
        yield invalid(place, path, "fieldPath must be non-empty if specified")
    if "\n" in path:
        yield invalid(place, path, "fieldPath must not contain line breaks")
    if not leads_somewhere(path.strip(), schema):
        yield invalid(place, path, "fieldPath must be a valid path")


def expression_schema_errors(schema: Schema, path: str) -> list[FieldError]:
    """What is wrong with the expressions of a whole schema whose shape is right."""
    check = _Check()
    check.visit(schema, path, declare(schema, is_root=True), _Place(1))
    return check.errors + check.total_errors(path)


class _Place:
    """Where in a schema a rule stands: how often its values can occur (None: endlessly), and where oldSelf ends."""

    def __init__(self, count: int | None, lost_at: str = "") -> None:
        self.count, self.lost_at = count, lost_at

    def inside(self, schema: Schema, path: str) -> _Place:
        factor: int | None = 1
        if schema.get("type") == "array":
            factor = schema.get("maxItems")
        elif schema.get("type") == "object" and additional(schema) is not None:
            factor = schema.get("maxProperties")
        count = None if factor is None or self.count is None else min(self.count * max(factor, 0), ENDLESS)
        return _Place(count, self.lost_at or ("" if _keeps_old(schema) else path))


def _keeps_old(schema: Schema) -> bool:
    """Whether what is inside can be found again in the old value."""
    return schema.get("type") != "array" or schema.get(LIST_TYPE) == "map"


class _Check:
    """One walk through a schema, with the costs of its rules added up."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._total = 0
        self._expensive: list[tuple[int, str]] = []

    def visit(self, schema: Schema, path: str, declared: Declared | None, place: _Place) -> None:
        for name, inner, held in parts(schema, declared):
            self.visit(inner, f"{path}.{name}", held, place.inside(schema, path))
        rules = schema.get(VALIDATIONS) or ()
        if rules and declared is None:
            detail = (
                "internal error: failed to construct type information for x-kubernetes-validations rules: unable to "
                "convert structural schema to CEL declarations"
            )
            self.errors.append(FieldError("InternalError", f"{path}.{VALIDATIONS}", detail))
        elif declared is not None:
            for index, source in enumerate(rules):
                compiled = compiled_rule(source, declared)
                self._check(compiled, declared, f"{path}.{VALIDATIONS}[{index}]", place)

    def _check(self, rule: CompiledRule, declared: Declared, path: str, place: _Place) -> None:
        if rule.program is not None:
            count = place.count if place.count is not None else (REQUEST_BYTES - 2) // (declared.least_bytes + 1)
            cost = min(most_cost(rule.program, declared) * count, ENDLESS)
            self._observe(cost, f"{path}.rule", "estimated rule cost")
        if rule.problem:
            self.errors.append(invalid(f"{path}.rule", _shown(rule.source), rule.problem))
        if rule.message_problem:
            self.errors.append(invalid(f"{path}.messageExpression", _shown(rule.source), rule.message_problem))
        elif rule.message is not None:
            cost = most_cost(rule.message, declared)
            self._observe(cost, f"{path}.messageExpression", "estimated messageExpression cost")
        if rule.uses_old and place.lost_at:
            detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.lost_at}"
            self.errors.append(invalid(f"{path}.rule", rule.source["rule"], detail))
        optional = rule.source.get("optionalOldSelf")
        if rule.program is not None and not rule.uses_old and optional is not None:
            self.errors.append(
                invalid(f"{path}.optionalOldSelf", optional, "may not be set if oldSelf is not used in rule")
            )

    def _observe(self, cost: int, path: str, name: str) -> None:
        self._total = min(self._total + cost, ENDLESS)
        if cost > _RULE_LIMIT:
            self.errors.append(forbidden_field(path, _too_expensive(name, cost, _RULE_LIMIT)))
        if cost >= _SCHEMA_LIMIT // 100:
            self._expensive = sorted([*self._expensive, (cost, path)], key=lambda item: -item[0])[:_MOST_NAMED]

    def total_errors(self, path: str) -> list[FieldError]:
        """What is said of all rules together."""
        if self._total <= _SCHEMA_LIMIT:
            return []
        detail = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        total = forbidden_field(path, _too_expensive(name, self._total, _SCHEMA_LIMIT))
        return [*(forbidden_field(place, detail) for _cost, place in self._expensive), total]


def _too_expensive(name: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{name} exceeds budget by factor of {shown} {_ADVICE}"


def _shown(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as upstream's internal form prints it."""
    return {
        "Rule": rule.get("rule") or "",
        "Message": rule.get("message") or "",
        "MessageExpression": rule.get("messageExpression") or "",
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath") or "",
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
