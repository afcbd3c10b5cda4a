"""Whatever is sent as an expression, it is refused or evaluated: never anything else, and never for long."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.cel import Budget, CompileError, Environment, EvaluationError, types
from pybernetes.cel.admission import environment
from pybernetes.cel.estimates import estimate
from pybernetes.cel.ranges import Range

_WORDS = [
    *(
        "self",
        "names",
        "ages",
        "any",
        "request",
        "x",
        "in",
        "true",
        "null",
        "1",
        "2u",
        "0.5",
        "-1",
        "'a'",
        "b'c'",
        "r'\\d'",
    ),
    *("==", "!=", "<", ">=", "&&", "||", "+", "-", "*", "/", "%", "!", "?", ":", ".", ".?", ",", "(", ")", "[", "]"),
    *("{", "}", "[?", "has(", "size(", ".all(x, ", ".exists(x, ", ".map(x, ", ".filter(x, ", ".all(i, x, ", ")"),
    *(
        ".optMap(x, ",
        ".orValue(",
        "optional.of(",
        ".matches(",
        ".format(",
        "quantity(",
        "duration(",
        "type(",
        "string(",
    ),
    *(".transformMap(k, v, ", ".sum()", ".join(", ".split(", "ip(", "cidr(", "semver(", "dyn(", "int(", "timestamp("),
]
_VARIABLES = {"self": "abc", "names": ["a", "b"], "ages": {"a": 1}, "any": {"a": [1, None, "x", {"b": 1.5}]}}
_ENVIRONMENT = Environment(
    {
        "self": types.STRING,
        "names": types.list_of(types.STRING),
        "ages": types.map_of(types.STRING, types.INT),
        "any": types.DYN,
    }
)
_SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


# Nothing is known of types, so that all has to be found out when it runs.
_UNTYPED = Environment(dict.fromkeys(_ENVIRONMENT.variables, types.DYN))


def _try(text: str, held: Environment = _ENVIRONMENT) -> None:
    with suppress(CompileError):
        program = held.compile(text)
        found = estimate(program.checked, lambda _path: Range(0, 1000))
        assert 0 <= found.least <= found.most < 2**64
        with suppress(EvaluationError):
            program.evaluate(_VARIABLES, Budget(10_000))


@_SETTINGS
@given(st.lists(st.sampled_from(_WORDS), max_size=25).map("".join))
def test_words_in_any_order(text: str) -> None:
    _try(text)


@_SETTINGS
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    _try(text)


def _expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["self", "names", "ages", "any", "x", "1", "2u", "0.5", "'a'", "true", "null", "any.a"])
    two = st.sampled_from(["==", "!=", "<", "+", "-", "*", "/", "%", "&&", "||", "in"])
    calls = st.sampled_from(
        ["size", "string", "int", "double", "type", "dyn", "quantity", "duration", "timestamp", "ip"]
    )
    loops = st.sampled_from(["all", "exists", "exists_one", "map", "filter"])
    members = st.sampled_from(["size", "matches", "contains", "indexOf", "split", "sum", "max", "isSorted", "join"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, two, inner),
            st.builds("{}({})".format, calls, inner),
            st.builds("{}.{}(x, {})".format, inner, loops, inner),
            st.builds("{}.{}({})".format, inner, members, inner),
            st.builds("{}.{}()".format, inner, members),
            st.builds("{}[{}]".format, inner, inner),
            st.builds("[{}, {}]".format, inner, inner),
            st.builds("{{{}: {}}}".format, inner, inner),
            st.builds("({} ? {} : {})".format, inner, inner, inner),
            st.builds("{}[?{}].orValue({})".format, inner, inner, inner),
        ),
        max_leaves=12,
    )


@_SETTINGS
@given(_expressions())
def test_expressions_of_all_shapes(text: str) -> None:
    _try(text)
    _try(text, _UNTYPED)


def test_expressions_about_requests_have_no_way_out() -> None:
    for text in ("authorizer.__class__", "request.userInfo.__dict__", "object.keys()", "variables.__init__"):
        with suppress(CompileError):
            program = environment().compile(text)
            with suppress(EvaluationError):
                program.evaluate({"object": {}, "authorizer": None, "request": {"userInfo": {}}})
                raise AssertionError(text)
