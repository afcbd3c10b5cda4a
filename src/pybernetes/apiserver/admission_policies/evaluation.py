"""What a policy says of one request: conditions, variables and rules in CEL evaluated, within upstream's cost limits.

The expressions of a policy and the values of a request go in; `Finding`s come out, one for each rule. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    # It refuses the request whatever the binding's actions are.
    is_final: bool = False
    # It is about the policy itself, not about what a binding makes of it.
    is_of_policy: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a policy says of one request with one params object."""

    findings: list[Finding]
    annotations: Mapping[str, str] = field(default_factory=dict)


class OutOfBudget(EvaluationError):
    """What all expressions may cost together has been spent."""


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
            except OutOfBudget as error:
                raise PolicyError(str(error)) from None
            except EvaluationError as error:
                problems.append(f"expression '{expression.text}' resulted in error: {error}")
        self._left = left
        if problems:
            raise PolicyError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
        return True

    def verdict(self) -> Verdict:
        """What the rules and the audit annotations say. What they may cost is no longer reckoned together."""
        try:
            findings = self._findings()
            self._left = _BUDGET
            annotations, troubles = self._annotations()
        except OutOfBudget as error:
            return Verdict([Finding(0, str(error), is_error=True)])
        return Verdict([*findings, *troubles], annotations)

    def _findings(self) -> list[Finding]:
        """The rules that do not hold, and those that could not be evaluated."""
        outcomes = [(index, rule, self._outcome(rule)) for index, rule in enumerate(self._expressions.validations)]
        try:
            return [
                Finding(index, outcome, is_error=True)
                if isinstance(outcome, str)
                else Finding(index, self._message(rule), rule.rule.reason or "Invalid")
                for index, rule, outcome in outcomes
                if outcome is not True
            ]
        except OutOfBudget as error:
            text = f"failed messageExpression: {error}"
            return [
                Finding(index, outcome if isinstance(outcome, str) else text, is_error=True)
                for index, _rule, outcome in outcomes
            ]

    def _outcome(self, validation: CompiledValidation) -> bool | str:
        """Whether a rule holds, or what keeps it from saying so."""
        try:
            return self.value(validation.expression) is True
        except OutOfBudget:
            raise
        except EvaluationError as error:
            return f"expression '{validation.expression.text}' resulted in error: {error}"

    def _annotations(self) -> tuple[dict[str, str], list[Finding]]:
        """The audit annotations that the policy makes of the request, and what went wrong with others."""
        found, troubles = {}, []
        for key, expression in self._expressions.annotations:
            try:
                value = self.value(expression)
            except OutOfBudget:
                raise
            except EvaluationError as error:
                text = f"expression '{expression.text}' resulted in error: {error}"
                troubles.append(Finding(0, text, is_error=True, is_final=True))
                continue
            if isinstance(value, str) and value.strip():
                found[key] = value.strip()
        return found, troubles

    def value(self, expression: Expression) -> Any:
        """The value of an expression of the policy; EvaluationError when it has none."""
        if expression.program is None:
            raise EvaluationError(expression.problem)
        budget = Budget(min(Budget().limit, self._left))
        try:
            return expression.program.evaluate(self._values, budget)
        except CostExceeded:
            if budget.limit == self._left:
                raise OutOfBudget(_NO_BUDGET) from None
            raise
        finally:
            self._left = max(self._left - budget.spent, 0)

    def _message(self, validation: CompiledValidation) -> str:
        text = ""
        if validation.message is not None:
            try:
                made = self.value(validation.message)
                text = made.strip() if isinstance(made, str) else ""
            except OutOfBudget:
                raise
            except EvaluationError:
                text = ""
            if len(text.encode()) > _LONGEST_MESSAGE or "\n" in text:
                text = ""
        text = text or (validation.rule.message or "").strip()
        return text or f"failed expression: {validation.rule.expression.strip()}"
