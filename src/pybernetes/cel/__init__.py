"""The Common Expression Language, as Kubernetes speaks it: expressions in, values out, nothing else touched.

`Environment(variables).compile(text)` gives a `Program`; `program.evaluate(values)` its value. Pure.
"""

from __future__ import annotations

from pybernetes.cel.declarations import Library
from pybernetes.cel.frame import PER_CALL_LIMIT, Budget
from pybernetes.cel.lazy import Lazy
from pybernetes.cel.program import Environment, Program
from pybernetes.cel.source import CompileError, InstantiationError
from pybernetes.cel.values import CostExceeded, EvaluationError

__all__ = [
    "PER_CALL_LIMIT",
    "Budget",
    "CompileError",
    "CostExceeded",
    "Environment",
    "EvaluationError",
    "InstantiationError",
    "Lazy",
    "Library",
    "Program",
]
