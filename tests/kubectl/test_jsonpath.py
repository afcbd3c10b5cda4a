"""JSONPath templates."""

from __future__ import annotations

import pytest

from pybernetes.kubectl.failures import CommandError
from pybernetes.kubectl.jsonpath import parse, parse_relaxed

PODS = {
    "kind": "List",
    "items": [
        {"metadata": {"name": "a", "labels": {"app.io/x": "1"}}, "status": {"phase": "Running", "restarts": 0}},
        {"metadata": {"name": "b"}, "status": {"phase": "Pending", "restarts": 5, "ips": [{"ip": "10.0.0.1"}]}},
    ],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.kind}", "List"),
        ("{$.kind}!", "List!"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}{.items[-1].metadata.name}", "ab"),
        ("{.items[0:1].metadata.name}", "a"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', "a\tRunning\nb\tPending\n"),
        ('{.items[?(@.status.phase=="Pending")].metadata.name}', "b"),
        ("{.items[?(@.status.restarts>3)].metadata.name}", "b"),
        ("{.items[?(@.status.ips)].metadata.name}", "b"),
        ("{.items[0].metadata.labels.app\\.io/x}", "1"),
        ("{.items[0].metadata.labels['app.io/x']}", "1"),
        ("{..ip}", "10.0.0.1"),
        ("{.items[*]['metadata', 'none'].name}", "a b"),
        ("{.items[1].status.ips}", '[{"ip":"10.0.0.1"}]'),
        ("{.nothing.there}", ""),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert parse(template).print(PODS) == text


def test_columns_and_sort_keys_need_no_braces() -> None:
    for text in (".items[1].metadata.name", "items[1].metadata.name", "{.items[1].metadata.name}"):
        assert parse_relaxed(text).values(PODS) == ["b"]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{.bad", "error: error parsing jsonpath {.bad, unclosed action"),
        ("{end}", "error: error parsing jsonpath {end}, not in range, nothing to end"),
        ("{range .items[*]}", "error: error parsing jsonpath {range .items[*]}, unexpected eof, unclosed range"),
        ("{.a[}", "error: error parsing jsonpath {.a[}, unterminated array"),
    ],
)
def test_what_does_not_parse_is_told(template: str, problem: str) -> None:
    with pytest.raises(CommandError) as failure:
        parse(template)
    assert failure.value.text == problem
