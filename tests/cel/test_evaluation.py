"""What expressions evaluate to, what they cost, and where they have no value."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.cel import Budget, CompileError, CostExceeded, Environment, EvaluationError, Lazy, types
from pybernetes.cel.macros import BINDINGS, MACROS

_VARIABLES: dict[str, Any] = {
    "self": "abc",
    "count": 5,
    "names": ["ann", "bob"],
    "ages": {"ann": 30},
    "anything": {"list": [1, 2, {"none": None}], "text": "x"},
}
_ENVIRONMENT = Environment(
    {
        "self": types.STRING,
        "count": types.INT,
        "names": types.list_of(types.STRING),
        "ages": types.map_of(types.STRING, types.INT),
        "anything": types.DYN,
    }
)


def _value(expression: str) -> Any:
    return _ENVIRONMENT.compile(expression).evaluate(_VARIABLES)


@pytest.mark.parametrize(
    "expression",
    [
        "has(ages.ann) && ages.ann == 30 && !has(ages.bob)",
        "ages.?bob.orValue(7) == 7 && ages[?'ann'].hasValue()",
        "names.all(n, n < 'c') && names.exists(n, n == 'bob') && names.exists_one(n, n.startsWith('a'))",
        "names.map(n, n + '!') == ['ann!', 'bob!'] && names.filter(n, n != 'ann') == ['bob']",
        "names.map(n, n == 'bob', n.upperAscii()) == ['BOB']",
        "names.all(i, n, i < 2 && n != '') && ages.exists(k, v, v == 30)",
        "names.transformMap(i, n, n) == {0: 'ann', 1: 'bob'}",
        "ages.transformMapEntry(k, v, {v: k}) == {30: 'ann'} && ages.transformList(k, v, v + 1) == [31]",
        # An error on one side does not matter when the other settles it.
        "[1, 2].exists(n, 1 / (n - 1) > 0) && (true || 1 / 0 > 0) && !(1 / 0 > 0 && false)",
        "dyn(1) == 1.0 && dyn(1u) == 1 && dyn(1) != true && dyn(1) < 1.5",
        "-7 / 2 == -3 && -7 % 2 == -1 && --count == 5 && 0x10 == 16",
        "type(count) == int && type(names) == list && type(quantity('1')) == kubernetes.Quantity",
        r"""'a\tb\u00e9' == 'a	bé' && r'\d' == '\\d' && b'\xff' == b'\377' && '''a'b''' == "a'b" """,
        "anything.list[2].none == null && anything.text in ['x'] && 'text' in anything",
        "string(1.5) == '1.5' && string(1.0) == '1' && string(1e30) == '1e+30'",
        "int('-5') == -5 && double('1e3') == 1000.0",
        "duration('1h30m').getMinutes() == 90 && string(duration('1h30m')) == '5400s'",
        "timestamp('2020-02-29T12:00:00+01:00').getHours() == 11",
        "timestamp('2020-02-29T12:00:00Z') + duration('24h') == timestamp('2020-03-01T12:00:00Z')",
        "timestamp('2020-02-29T12:00:00Z').getDayOfWeek() == 6",
        "timestamp('2020-01-01T23:00:00Z').getDate('+02:00') == 2",
        "'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b' && ' x '.trim() == 'x'",
        "'hello'.substring(1, 3) == 'el' && 'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3",
        "'hello'.charAt(1) == 'e' && 'hello'.replace('l', 'L', 1) == 'heLlo' && 'Éa'.upperAscii() == 'ÉA'",
        "strings.quote('a\\n\"') == '\"a\\\\n\\\\\"\"'",
        "'%s %d %.2f %x %b %o'.format(['a', 3, 2.5, 255, 5, 8]) == 'a 3 2.50 ff 101 10'",
        "'%e %f'.format([0.0123, 12345.5]) == '1.230000\\u202f×\\u202f10⁻⁰² 12,345.500000'",
        """'%s'.format([[['a', 2.5, null], {1: b'x'}]]) == '[["a", 2.500000, null], {1:b"x"}]'""",
        "'abc 123'.find('[0-9]+') == '123' && 'a1b2'.findAll('[0-9]') == ['1', '2'] && self.matches('^a.c$')",
        "[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && ['b', 'a'].max() == 'b'",
        "[1, 2].isSorted() && [1, 1].lastIndexOf(1) == 1",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').add(quantity('500m')).asInteger() == 1",
        "isQuantity('1Ki') && !isQuantity('x') && quantity('-1').sign() == -1",
        "url('https://u@example.com:80/a b?q=1'.replace(' ', '%20')).getHost() == 'example.com:80'",
        "url('https://example.com/p?q=1&q=2').getQuery() == {'q': ['1', '2']} && !isURL('no url')",
        "ip('10.0.0.1').family() == 4 && isIP('::1') && !isIP('10.0.0.01') && ip.isCanonical('::1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8' && cidr('::/0').prefixLength() == 0",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1', true) == semver('1.0.0') && !isSemver('1.2')",
        "semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1",
        "!format.dns1123Label().validate('good').hasValue() && format.named('uuid').value().validate('x').hasValue()",
        "optional.none().or(optional.of(3)).value() == 3 && [?optional.none(), 1] == [1]",
        "{?'a': optional.of(1)} == {'a': 1}",
        "optional.of(2).optMap(n, n + 1).value() == 3 && optional.ofNonZeroValue('') == optional.none()",
    ],
)
def test_expressions_hold(expression: str) -> None:
    assert _value(expression) is True


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("0u - 1u", "unsigned integer overflow"),
        ("names[2]", "index out of bounds: 2"),
        ("ages['bob']", "no such key: bob"),
        ("anything.nope", "no such key: nope"),
        ("anything.text + 1", "no such overload"),
        ("int('' + 'x')", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("optional.none().value()", "optional.none() dereference"),
        ("'a'.substring(2)", "index out of range: 2"),
        ("[''].map(x, x.matches(x + '['))", "error parsing regexp"),
    ],
)
def test_what_has_no_value_says_why(expression: str, message: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        _value(expression)
    assert message in str(raised.value)


def test_the_cost_of_an_evaluation_is_told() -> None:
    budget = Budget()
    _ENVIRONMENT.compile("names.all(n, n.startsWith('a'))").evaluate(_VARIABLES, budget)
    # The name, and twice: the accumulator and its test (2), the accumulator again, the name, reading the text.
    assert budget.spent == 1 + 2 * (2 + 1 + 1 + 1) + 1


@pytest.mark.parametrize(
    "expression",
    [
        "many.all(a, many.all(b, many.all(c, a + b + c >= 0)))",
        "many.map(a, many.map(b, many)).size() > 0",
        "many.exists(a, many.exists(b, text.contains(text + 'x')))",
    ],
)
def test_no_expression_runs_for_ever(expression: str) -> None:
    environment = Environment({"many": types.list_of(types.INT), "text": types.STRING})
    with pytest.raises(CostExceeded, match="operation cancelled: actual cost limit exceeded"):
        environment.compile(expression).evaluate({"many": list(range(2000)), "text": "a" * 3000})


def test_a_lazy_variable_is_found_when_it_is_first_read() -> None:
    asked = []
    environment = Environment({"late": types.INT})
    lazy = Lazy(lambda: asked.append(1) or 7)
    assert environment.compile("true || late == 7").evaluate({"late": lazy}) is True
    assert asked == []
    assert environment.compile("late + late").evaluate({"late": lazy}) == 14
    assert asked == [1]


def test_names_can_be_given_to_values_where_that_is_offered() -> None:
    text = "cel.bind(x, 2 + 3, x * x)"
    assert Environment(macros={**MACROS, **BINDINGS}).compile(text).evaluate({}) == 25
    with pytest.raises(CompileError, match="undeclared reference to 'cel'"):
        Environment().compile(text)
