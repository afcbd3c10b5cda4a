"""Expressions of CEL: whatever their text is, there is a value, or an error that says what is wrong, and soon."""

# ruff: noqa: E501 - tables of texts are read best in rows.
from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api.patterns import PatternError, compiled
from pybernetes.cel import CompileError, CostExceeded, Environment, EvaluationError, types
from tests.fuzz.effort import fuzzed
from tests.fuzz.words import texts

VARIABLES: dict[str, Any] = {"self": {"a": [1, 2, {"b": None}], "t": "x" * 1000}, "names": ["a", "b"], "count": 5}
ENVIRONMENT = Environment({"self": types.DYN, "names": types.list_of(types.STRING), "count": types.INT})
WORDS = [
    *("self", "names", "count", "self.a", "self.t", "n", "1", "0", "-1", "2u", "1.5", "'a'", "b'a'", "r'\\d'", "null", "true"),
    *("9223372036854775807", "-9223372036854775808", "18446744073709551615u", "1e308", "9" * 5000, "0x" + "f" * 5000),
    *("²", "1²", "'\\u0000'", "'\\ud800'", "'\\U00110000'", "'''", "\"", "\\", "//", "`a`"),
    *("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "!", "?", ":", ".", ",", ";", "in", "has(", "[", "]"),
    *("{", "}", "(", ")", "[?", ".?", "{?", "all(n,", "exists(n,", "map(n,", "filter(n,", ".all(n,", ".map(i, n,"),
    *("size(", "int(", "uint(", "double(", "string(", "bytes(", "dyn(", "type(", "duration(", "timestamp(", "quantity("),
    *("semver(", "url(", "ip(", "cidr(", "optional.of(", "optional.none()", ".matches(", ".find(", ".findAll(", ".split("),
    *(".replace(", ".substring(", ".charAt(", ".join(", ".format(", ".sum()", ".min()", ".indexOf(", ".value()", "format."),
    *(".orValue(", ".getHours(", ".upperAscii()", ".reverse()", "sets.contains(", "math.", "variables.", "authorizer."),
]  # fmt: skip
ARGUMENTS = ["'9' * 1", "'1'", "''", "0", "-1", "1e300", "9223372036854775807", "'" + "9" * 5000 + "'", "'²'", "'٣'",
             "'1" + "0" * 400 + "'", "'1e999999999'", "'-'", "'P1D'", "'" + "9" * 30 + "h'", "'0000-00-00T00:00:00Z'", "'/'", "'::/999'",
             "'10.0.0.0/" + "9" * 5000 + "'", "'1.2." + "9" * 5000 + "'", "'1.2.3-²'", "'(((('", "'(a*)*b'", "null", "[]", "{}", "self", "self.t"]  # fmt: skip
FUNCTIONS = ["int", "uint", "double", "string", "bytes", "bool", "duration", "timestamp", "quantity", "isQuantity", "semver", "isSemver",
             "url", "isURL", "ip", "isIP", "cidr", "isCIDR", "size", "dyn", "type", "ip.isCanonical"]  # fmt: skip
METHODS = ["matches", "find", "findAll", "split", "replace", "substring", "charAt", "indexOf", "lastIndexOf", "join", "format", "getHours",
           "getDate", "isLessThan", "add", "sub", "asInteger", "compareTo", "containsIP", "containsCIDR", "getQuery", "validate"]  # fmt: skip
BOMBS = {
    "deep parentheses": "(" * 100_000 + "1" + ")" * 100_000,
    "deep lists": "[" * 100_000,
    "deep calls": "dyn(" * 5_000 + "1" + ")" * 5_000,
    "deep selects": "self" + ".a" * 50_000,
    "deep indexes": "self" + "[0]" * 50_000,
    "deep negations": "!" * 100_000 + "true",
    "deep minuses": "-" * 100_000 + "1",
    "deep conditions": "true ? 1 : " * 20_000 + "1",
    "long sum": "1" + " + 1" * 50_000,
    "long or": "true" + " || true" * 50_000,
    "long list": "[" + "1," * 200_000 + "1]",
    "loops in loops": "names" + ".all(n, names" * 20 + ".all(n, true)" + ")" * 20,
    "loops in loops of numbers": "[1,2,3,4,5,6,7,8,9]" + ".map(n, [1,2,3,4,5,6,7,8,9]" * 12 + ")" * 12,
    "growing text": "['a']" + ".map(n, n + n + n + n)" * 30,
    "growing replacement": "self.t" + ".replace('x', 'xxxxxxxxxx')" * 20,
    "growing format": "'%s%s%s%s'.format(['a','a','a','a'])" + ".replace('a', self.t)" * 6,
    "wide format": "'%.999999999f'.format([1.5])",
    "long pattern": f"'a'.matches('{'(a|b)' * 20_000}')",
    "nested pattern": "self.t.matches('" + "(" * 5_000 + "x" + ")*" * 5_000 + "')",
    "large repetition": "self.t.matches('((x{1000}){1000}){1000}')",
    "quadratic search": "self.t.findAll('x*y')",
    "huge quantity": "quantity('1e99999999').asApproximateFloat() > 1.0",
    "huge power": "quantity('1E' + '9').add(quantity('1n')).sign()",
    "unclosed text": "'" + "a" * 1_000_000,
    "many backslashes": "'" + "\\\\" * 500_000 + "'",
    "nothing": "",
    "comment": "// " + "x" * 1_000_000,
    "nul": "\0",
    "bom": "\ufeff1",
    "surrogate": "'\ud800'",
}  # fmt: skip


def tried(expression: str) -> None:
    """Compiles it and works it out, if it can be."""
    with suppress(CompileError, EvaluationError, CostExceeded):
        ENVIRONMENT.compile(expression).evaluate(VARIABLES)


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.timeout(20)
def test_an_expression_that_is_a_bomb(name: str) -> None:
    tried(BOMBS[name])


@fuzzed
@given(st.lists(st.one_of(st.sampled_from(WORDS), texts), max_size=12))
def test_any_words(words: list[str]) -> None:
    tried(" ".join(words))
    tried("".join(words))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_any_argument_of_any_function(function: str) -> None:
    for argument in ARGUMENTS:
        tried(f"{function}({argument})")
        tried(f"{function}(dyn({argument}))")


@pytest.mark.parametrize("method", METHODS)
def test_any_argument_of_any_method(method: str) -> None:
    for target in (
        "self",
        "self.t",
        "quantity('1')",
        "timestamp('2020-01-01T00:00:00Z')",
        "semver('1.2.3')",
        "cidr('::/0')",
        "names",
    ):
        for argument in ARGUMENTS:
            tried(f"dyn({target}).{method}({argument})")
            tried(f"{target}.{method}({argument})")
            tried(f"{target}.{method}({argument}, dyn({argument}))")


def test_a_pattern_of_a_schema_that_is_a_bomb() -> None:
    for depth in (1, 900, 5_000):
        with suppress(PatternError):
            compiled("(" * depth + "x" + ")*" * depth + "$").search("x" * 10_000)
