"""What a policy says of one request: conditions, variables and rules in CEL evaluated, within upstream's cost limits.

The expressions of a policy and the values of a request go in; `Finding`s come out, one for each rule. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pybernetes.apiserver.admission_policies.expressions import CompiledValidation, PolicyExpressions
from pybernetes.cel import Budget, CostExceeded, EvaluationError, Lazy
from pybernetes.cel.admission import Expression

# What all expressions of a policy may cost for one request, and its match conditions alone.
_BUDGET, _CONDITIONS_BUDGET = 10_000_000, 2_500_000
_LONGEST_MESSAGE = 5 * 1024
_NO_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold, or could not be evaluated."""

    index: int
    message: str
    reason: str = "Invalid"
    is_error: bool = False


class PolicyError(Exception):
    """A policy that cannot say anything of a request; what that means is up to its failurePolicy."""


class _Variables(dict[str, Any]):
    """`variables`: each is evaluated when it is first read."""

    def __init__(self, found: Mapping[str, Lazy]) -> None:
        super().__init__(found)

    def __getitem__(self, name: str) -> Any:
        held = super().__getitem__(name)
        return held() if isinstance(held, Lazy) else held

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


class Evaluation:
    """One policy, one request and one params object."""

    def __init__(self, expressions: PolicyExpressions, values: Mapping[str, Any]) -> None:
        self._expressions = expressions
        self._left = _BUDGET
        self._values = dict(values)
        known: dict[str, Lazy] = {}
        for name, expression in expressions.variables:
            known[name] = Lazy(lambda expression=expression: self.value(expression))  # type: ignore[misc]
        self._values["variables"] = _Variables(known)

    def applies(self) -> bool:
        """Whether all match conditions hold. One that does not settles it; else PolicyError for those with no value."""
        problems = []
        left, self._left = self._left, _CONDITIONS_BUDGET
        for _name, expression in self._expressions.conditions:
            try:
                if self.value(expression) is not True:
                    return False
            except EvaluationError as error:
                problems.append(f"expression '{expression.text}' resulted in error: {error}")
        self._left = left
        if problems:
            raise PolicyError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
        return True

    def findings(self) -> list[Finding]:
        """The rules that do not hold, and those that could not be evaluated."""
        found = []
        for index, validation in enumerate(self._expressions.validations):
            try:
                if self.value(validation.expression) is True:
                    continue
                found.append(Finding(index, self._message(validation), validation.rule.reason or "Invalid"))
            except EvaluationError as error:
                text = f"expression '{validation.expression.text}' resulted in error: {error}"
                found.append(Finding(index, text, is_error=True))
                if isinstance(error, CostExceeded):
                    break
        return found

    def annotations(self) -> tuple[dict[str, str], list[str]]:
        """The audit annotations that the policy makes of the request, and what went wrong with others."""
        found, problems = {}, []
        for key, expression in self._expressions.annotations:
            try:
                value = self.value(expression)
            except EvaluationError as error:
                problems.append(f"expression '{expression.text}' resulted in error: {error}")
                continue
            if isinstance(value, str) and value.strip():
                found[key] = value.strip()
        return found, problems

    def value(self, expression: Expression) -> Any:
        """The value of an expression of the policy; EvaluationError when it has none."""
        if expression.program is None:
            raise EvaluationError(expression.problem)
        budget = Budget(min(Budget().limit, self._left))
        try:
            return expression.program.evaluate(self._values, budget)
        except CostExceeded:
            if budget.limit == self._left:
                raise EvaluationError(_NO_BUDGET) from None
            raise
        finally:
            self._left = max(self._left - budget.spent, 0)

    def _message(self, validation: CompiledValidation) -> str:
        text = ""
        if validation.message is not None:
            try:
                made = self.value(validation.message)
                text = made.strip() if isinstance(made, str) else ""
            except EvaluationError:
                text = ""
            if len(text.encode()) > _LONGEST_MESSAGE or "\n" in text:
                text = ""
        text = text or (validation.rule.message or "").strip()
        return text or f"failed expression: {validation.rule.expression.strip()}"
