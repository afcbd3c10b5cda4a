"""The extensions of Kubernetes: what they take, what they say of the rest, and what they cost."""

from __future__ import annotations

import pytest

from pybernetes.cel import Budget, Environment, EvaluationError, InstantiationError
from pybernetes.cel.estimates import estimate
from pybernetes.cel.library.authorizer import LIBRARY, Authorizer, Question
from pybernetes.cel.types import opaque

_ENVIRONMENT = Environment().extended({"authorizer": opaque(Authorizer.type_name)}, LIBRARY)
_VARIABLES = {"authorizer": Authorizer(lambda _question: (True, ""))}


@pytest.mark.parametrize(
    "text",
    [
        "url('https://h/a b?c d=e+f&x=%41').getEscapedPath() == '/a%20b'",
        "url('https://h/a b?c d=e+f&x=%41;y&z=%zz').getQuery() == {'c d': ['e f']}",
        "url('https://h/%C3%A4!').getEscapedPath() == '/%C3%A4!' && url('/ä').getEscapedPath() == '/%C3%A4'",
        "url('http://u:p@[::1]:8/').getHost() == '[::1]:8' && url('http://[::1]:8').getHostname() == '::1'",
        "isURL('mailto:a@b') && isURL('/x') && !isURL('x') && !isURL('http://h#f') && !isURL('http://a:b:c/')",
        "isSemver('01.2', true) && !isSemver('1.2-rc.1', true) && semver('v1.02.3-rc.1', true) == semver('1.2.3-rc.1')",
        "!isSemver('1.0.0-rc.99999999999999999999999') && isSemver('18446744073709551615.0.0')",
        "[duration('1s')].filter(d, false).sum() == duration('0s') && type([1.0].filter(d, false).sum()) == double",
        "string(cidr('10.1.2.3/08'.replace('08', '8'))) == '10.1.2.3/8' && !isCIDR('10.0.0.0/08')",
    ],
)
def test_what_is_read(text: str) -> None:
    assert Environment().compile(text).evaluate({}) is True


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("url('')", 'parse "": empty url'),
        ("url('http://h:x/')", 'invalid port ":x" after host'),
        ("url('http://a b/')", 'invalid character " " in host name'),
        ("url('http://h/%zz')", 'invalid URL escape "%zz"'),
        ("url('a\\tb')", "invalid control character in URL"),
        ("semver('v1')", "No Major.Minor.Patch elements found"),
        ("semver('1.2.03')", 'Patch number must not contain leading zeroes "03"'),
        ("semver('1.2', true) == semver('1.2-a', true)", "short version cannot contain PreRelease/Build meta data"),
        ("cidr('10.0.0.0/33')", "prefix length out of range"),
        ("cidr('10.0.0.0')", "no '/'"),
    ],
)
def test_what_is_said_of_the_rest(text: str, problem: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        Environment().compile(text).evaluate({})
    assert problem in str(caught.value)


def test_a_pattern_that_is_none_is_found_before_it_runs() -> None:
    with pytest.raises(InstantiationError) as caught:
        Environment().compile("'a'.findAll('(', 1) == []")
    assert str(caught.value) == "program instantiation failed: error parsing regexp: missing closing ): `(`"
    with pytest.raises(EvaluationError, match="missing closing"):
        Environment().compile("'a'.find('' + '(') == ''").evaluate({})


_SELECTED = "authorizer.group('').resource('pods').fieldSelector('spec.nodeName=n')"


@pytest.mark.parametrize(
    ("text", "least", "most", "actual"),
    [
        # Equality of the extensions' values is cheap; that of URLs goes by how long they are.
        ("ip('10.0.0.1') == ip('10.0.0.2')", 3, 3, 3),
        ("quantity('1') == quantity('1k')", 3, 3, 3),
        ("url('https://example.com/abc') == url('https://example.com/abcdefgh')", 7, 9, 7),
        ("format.named('uuid').value() == format.named('byte').value()", 5, 11, 5),
        # A format is a pattern, whose length the estimate does not know.
        ("format.named('dns1123Label').value().validate('my-name')", 34, 34, 10),
        ("ip.isCanonical('192.168.0.1')", 3, 3, 3),
        # As many bytes are compared as the range has.
        ("cidr('192.168.0.0/16').containsIP('192.0.0.1')", 4, 7, 4),
        ("cidr('192.168.0.0/16').containsCIDR(cidr('192.0.0.0/30'))", 7, 11, 7),
        (_SELECTED, 415, 415, 415),
        ("sets.equivalent([1 + 1], [2])", 24, 24, 14),
        # A text is split into no more pieces than are asked for.
        ("'a b c'.split(' ', 1).all(x, true)", 2, 5, 5),
        ("'abc 123'.find('[0-9]+')", 2, 2, 2),
    ],
)
def test_what_they_cost(text: str, least: int, most: int, actual: int) -> None:
    program, budget = _ENVIRONMENT.compile(text), Budget()
    program.evaluate(_VARIABLES, budget)
    assert estimate(program.checked, lambda _path: None) == (least, most)
    assert budget.spent == actual


def test_short_texts_cost_nothing_where_they_are_members() -> None:
    budget = Budget()
    assert Environment().compile("['012345678901', 'a'].isSorted()").evaluate({}, budget) is True
    assert budget.spent == 1


def test_the_name_of_a_type_costs_as_any_name() -> None:
    assert (
        estimate(Environment().compile("type(quantity('1')) == kubernetes.Quantity").checked, lambda _path: None).least
        == 4
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("authorizer.serviceAccount('default', 'No').path('/').check('get')", "Invalid service account name"),
        ("authorizer.serviceAccount('a.b', 'x').path('/').check('get')", "Invalid service account namespace"),
        ("authorizer.group('').resource(' ').check('get')", "resource must not be empty"),
        ("authorizer.path(' ').check('get')", "path must not be empty"),
    ],
)
def test_questions_that_nobody_can_answer(text: str, problem: str) -> None:
    with pytest.raises(EvaluationError, match=problem):
        _ENVIRONMENT.compile(f"{text}.allowed()").evaluate(_VARIABLES)


def test_what_is_selected_is_part_of_the_question() -> None:
    asked = []

    def ask(question: Question) -> tuple[bool, str]:
        asked.append(question)
        return True, ""

    _ENVIRONMENT.compile(f"{_SELECTED}.check('list').allowed()").evaluate({"authorizer": Authorizer(ask)})
    assert asked == [Question("list", resource="pods", field_selector="spec.nodeName=n")]
