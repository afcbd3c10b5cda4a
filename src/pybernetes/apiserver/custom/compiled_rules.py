"""Rules in CEL of one place of a schema, compiled: `x-kubernetes-validations`. Pure.

A rule and what is declared of its values go in; a `CompiledRule` comes out, with what was wrong
instead of an exception, since a definition is told of all its mistakes at once. For `expressions` and its checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pybernetes.cel import CompileError, Environment, InstantiationError, Program, types
from pybernetes.cel.estimates import estimate
from pybernetes.cel.schemas import Declared

_BASE = Environment()


@dataclass(frozen=True)
class CompiledRule:
    """One rule. Texts say what keeps it, or its message, from being compiled; empty when nothing does."""

    source: dict[str, Any]
    program: Program | None = None
    problem: str = ""
    message: Program | None = None
    message_problem: str = ""

    @property
    def uses_old(self) -> bool:
        return self.program is not None and self.program.uses("oldSelf")

    @property
    def takes_optional_old(self) -> bool:
        """Whether oldSelf is an optional value, so that there is one on create too."""
        return bool(self.source.get("optionalOldSelf"))

    @property
    def shown(self) -> str:
        """What errors call the rule."""
        return str(self.source.get("message") or self.source.get("rule") or "").strip()


def compiled_rule(source: dict[str, Any], declared: Declared) -> CompiledRule:
    """The rule; an empty one has neither a program nor a problem."""
    old = types.optional_of(declared.type) if source.get("optionalOldSelf") else declared.type
    environment = _BASE.extended({"self": declared.type, "oldSelf": old})
    text = source.get("rule") or ""
    if not text.strip():
        return CompiledRule(source)
    try:
        program = environment.compile(text)
    except InstantiationError as error:
        return CompiledRule(source, problem=str(error))
    except CompileError as error:
        return CompiledRule(source, problem=f"compilation failed: {error}")
    if program.result != types.BOOL:
        return CompiledRule(source, problem="cel expression must evaluate to a bool")
    message, message_problem = _compiled_message(source.get("messageExpression") or "", environment)
    return CompiledRule(source, program, "", message, message_problem)


def _compiled_message(text: str, environment: Environment) -> tuple[Program | None, str]:
    if not text.strip():
        return None, ""
    try:
        program = environment.compile(text)
    except CompileError as error:
        return None, f"messageExpression compilation failed: {error}"
    if program.result != types.STRING:
        return None, "messageExpression must evaluate to a string"
    return program, ""


def most_cost(program: Program, declared: Declared) -> int:
    """What one evaluation can cost at most."""

    # Whatever a path begins with is taken for the value of the rule, even the name of a type: so it is upstream.
    return estimate(program.checked, declared.size).most
