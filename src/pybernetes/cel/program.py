"""A compiled expression, and the environment that compiles: which names and functions there are.

Text goes in, a `Program` comes out, or CompileError; a program takes variables and gives a value. This is the door of
the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pybernetes.api.turn import spend
from pybernetes.cel.checker import Checked, check
from pybernetes.cel.compiler import compile_checked
from pybernetes.cel.declarations import Library, joined
from pybernetes.cel.effort import FREE, PER_COST, effort
from pybernetes.cel.frame import Budget, Evaluator, Frame
from pybernetes.cel.library import KUBERNETES
from pybernetes.cel.literal_rules import check_literals, check_patterns
from pybernetes.cel.macros import MACROS, Macros
from pybernetes.cel.parser import parse
from pybernetes.cel.source import Problems, Source
from pybernetes.cel.types import Type
from pybernetes.cel.values import EvaluationError

# What an evaluation takes for itself, as turns reckon.
_EACH = 5


class Program:
    """One expression, ready to be evaluated any number of times."""

    def __init__(self, checked: Checked, evaluator: Evaluator) -> None:
        self.checked = checked
        self._evaluator = evaluator

    @property
    def result(self) -> Type:
        """The type of the value."""
        return self.checked.result

    def uses(self, name: str) -> bool:
        """Whether the expression reads a variable."""
        return any(found == name or found.startswith(f"{name}.") for found in self.checked.names.values())

    def evaluate(self, variables: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """The value; EvaluationError when there is none. `budget` says the limit, and is told the cost either way."""
        budget = budget or Budget()
        frame = Frame(dict(variables), budget.limit)
        # A variable of a policy is evaluated while the expression that reads it is.
        around, effort.left = effort.left, (most := budget.limit * PER_COST)
        spend(_EACH)
        try:
            return self._evaluator(frame)
        except RecursionError:
            raise EvaluationError("expression is nested too deeply") from None
        finally:
            budget.spent += max(frame.cost, (most - max(effort.left, 0) - FREE) // PER_COST)
            effort.left = around


@dataclass(frozen=True)
class Environment:
    """What expressions may use: variables with their types, a library of functions, and macros."""

    variables: Mapping[str, Type] = field(default_factory=dict)
    library: Library = KUBERNETES
    macros: Macros = field(default_factory=lambda: MACROS)

    def extended(self, variables: Mapping[str, Type], *libraries: Library) -> Environment:
        """The environment with more variables and functions."""
        library = joined([self.library, *libraries]) if libraries else self.library
        return Environment({**self.variables, **variables}, library, self.macros)

    def compile(self, expression: str) -> Program:
        """The program; CompileError with CEL's own text for an expression that is wrong."""
        source = Source(expression)
        tree = parse(source, self.macros)
        problems = Problems(source)
        checked = check(tree, self.variables, self.library, problems)
        check_literals(checked, problems)
        check_patterns(checked)
        return Program(checked, compile_checked(checked))
