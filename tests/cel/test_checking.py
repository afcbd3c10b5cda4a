"""Expressions that are wrong, in CEL's own words, and the types of those that are right."""

from __future__ import annotations

import pytest

from pybernetes.cel import CompileError, Environment, types

_ENVIRONMENT = Environment(
    {
        "self": types.STRING,
        "count": types.INT,
        "names": types.list_of(types.STRING),
        "ages": types.map_of(types.STRING, types.INT),
        "anything": types.DYN,
        "pod": types.object_type("Pod", {"name": types.STRING}),
    }
)


@pytest.mark.parametrize(
    ("expression", "place", "message"),
    [
        ("self.foo", "1:5", "type 'string' does not support field selection"),
        ("nobody + 1", "1:1", "undeclared reference to 'nobody' (in container '')"),
        ("missing(1)", "1:8", "undeclared reference to 'missing' (in container '')"),
        ("pod.age", "1:4", "undefined field 'age'"),
        ("1 + 'a'", "1:3", "found no matching overload for '_+_' applied to '(int, string)'"),
        ("self.startsWith(1)", "1:16", "found no matching overload for 'startsWith' applied to 'string.(int)'"),
        ("[1, 'a']", "1:5", "expected type 'int' but found 'string'"),
        ("{'a': 1, 'b': true}", "1:15", "expected type 'int' but found 'bool'"),
        ("self.matches('[')", "1:14", "invalid matches argument"),
        ("duration('soon')", "1:10", "invalid duration argument"),
        ("names.all(1, true)", "1:11", "argument must be a simple name"),
        ("has(self)", "1:5", "invalid argument to has() macro"),
        ("a b", "1:3", "Syntax error: extraneous input 'b' expecting <EOF>"),
        ("1 + $", "1:5", "Syntax error: token recognition error at: '$'"),
        ("'a\n+ b", "1:1", "Syntax error: token recognition error at: ''a'"),
        ("for", "1:1", "reserved identifier: for"),
        # A token too few, where all the rest fits; one too many; neither.
        ("(count + 1", "1:11", "Syntax error: missing ')' at '<EOF>'"),
        ("count in [1, 2,", "1:16", "Syntax error: missing ']' at '<EOF>'"),
        ("[(1]", "1:4", "Syntax error: missing ')' at ']'"),
        ("{'a' 1}", "1:6", "Syntax error: missing ':' at '1'"),
        ("size([1,", "1:9", "Syntax error: mismatched input '<EOF>' expecting ']'"),
        ("[1 2]", "1:4", "Syntax error: extraneous input '2' expecting {']', ','}"),
        ("{'a': 1", "1:8", "Syntax error: mismatched input '<EOF>' expecting {'}', ','}"),
        ("size(names 1)", "1:12", "Syntax error: extraneous input '1' expecting ')'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(expression: str, place: str, message: str) -> None:
    with pytest.raises(CompileError) as raised:
        _ENVIRONMENT.compile(expression)
    assert str(raised.value).startswith(f"ERROR: <input>:{place}: {message}\n | ")


def test_the_caret_stands_below_what_is_wrong() -> None:
    with pytest.raises(CompileError) as raised:
        _ENVIRONMENT.compile("count == 1 &&\n  self > 2")
    detail = "found no matching overload for '_>_' applied to '(string, int)'"
    assert str(raised.value) == f"ERROR: <input>:2:8: {detail}\n |   self > 2\n | .......^"


def test_all_problems_are_told_in_the_order_of_their_places() -> None:
    with pytest.raises(CompileError) as raised:
        _ENVIRONMENT.compile("b + a")
    lines = [line for line in str(raised.value).splitlines() if line.startswith("ERROR")]
    assert [line.split("'")[1] for line in lines] == ["b", "a"]


def test_an_expression_that_ends_too_early_is_told_what_could_follow() -> None:
    with pytest.raises(CompileError, match="mismatched input '<EOF>' expecting {'\\[', '{', '\\(', '.', '-', '!'"):
        _ENVIRONMENT.compile("self ==")


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("names.map(name, size(name))", "list(int)"),
        ("ages.map(name, name)", "list(string)"),
        ("ages.?bob", "optional_type(int)"),
        ("ages.transformMap(name, age, age > 3)", "map(string, bool)"),
        ("[]", "list(dyn)"),
        ("anything.a.b", "dyn"),
        ("count > 1 ? [self] : []", "list(string)"),
        ("timestamp('2020-01-01T00:00:00Z') - timestamp('2019-01-01T00:00:00Z')", "duration"),
        ("optional.of(count).optMap(n, string(n))", "optional_type(string)"),
        ("type(self)", "type(string)"),
        ("'%d %s'.format([count, self])", "string"),
    ],
)
def test_types_follow_from_what_is_declared(expression: str, type_: str) -> None:
    assert str(_ENVIRONMENT.compile(expression).result) == type_


@pytest.mark.parametrize("expression", ["(" * 300 + "1" + ")" * 300, "1" + " + 1" * 5000, "[" * 5000, "a" * 200_000])
def test_no_expression_is_too_deep_to_be_refused(expression: str) -> None:
    try:
        _ENVIRONMENT.compile(expression)
    except CompileError as error:
        assert str(error).startswith("ERROR: <input>:")
