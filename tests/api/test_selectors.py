from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import fields, labels
from pybernetes.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement
from tests.api import oracle

WORDS = st.text("ab1", min_size=1, max_size=3)
TERMS = st.one_of(
    WORDS,
    WORDS.map(lambda key: f"!{key}"),
    st.builds(lambda key, sign, value: f"{key}{sign}{value}", WORDS, st.sampled_from(["=", "==", "!="]), WORDS),
    st.builds(
        lambda key, word, values: f"{key} {word} ({', '.join(values)})",
        WORDS,
        st.sampled_from(["in", "notin"]),
        st.lists(WORDS, min_size=1, max_size=3),
    ),
    st.builds(lambda key, sign, bound: f"{key}{sign}{bound}", WORDS, st.sampled_from("<>"), st.integers(0, 99)),
)


@given(st.lists(TERMS, max_size=4).map(",".join), st.dictionaries(WORDS, WORDS, max_size=3))
def test_a_printed_selector_selects_the_same(text: str, found: dict[str, str]) -> None:
    selector = labels.parse_selector(text)
    again = labels.parse_selector(str(selector))
    assert str(again) == str(selector)
    assert again.matches(found) == selector.matches(found)


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("", True),
        ("app=nginx", True),
        ("app == nginx , tier in (a, front)", True),
        ("app!=nginx", False),
        ("absent!=x", True),
        ("absent notin (x)", True),
        ("!absent", True),
        ("!app", False),
        ("app,tier", True),
        ("size>9", True),
        ("size<9", False),
        ("app>1", False),
        ("in=in", False),
        ("app in ()", False),
        ("empty in ()", True),
        ("empty notin ()", False),
        ("app notin ( )", True),
        ("app=", False),
    ],
)
def test_label_selectors(text: str, matching: bool) -> None:
    found = {"app": "nginx", "tier": "front", "size": "10", "empty": ""}
    assert labels.parse_selector(text).matches(found) is matching


def test_the_selector_of_an_object() -> None:
    expressions = [LabelSelectorRequirement(key="tier", operator="In", values=["b", "a"])]
    selector = labels.from_label_selector(LabelSelector(match_labels={"app": "x"}, match_expressions=expressions))
    assert str(selector) == "app=x,tier in (a,b)"
    assert selector.matches({"app": "x", "tier": "a"})
    assert not labels.from_label_selector(None).matches({})
    assert labels.from_label_selector(LabelSelector()).matches({})
    with pytest.raises(labels.SelectorError, match='"Bogus" is not a valid label selector operator'):
        labels.from_label_selector(
            LabelSelector(match_expressions=[LabelSelectorRequirement(key="a", operator="Bogus")])
        )


def test_field_selectors() -> None:
    selector = fields.parse_selector("status.phase!=Running,metadata.name=a\\,b")
    assert selector.required_value("metadata.name") == "a,b"
    assert selector.field_names == {"metadata.name", "status.phase"}
    assert selector.matches({"metadata.name": "a,b"})
    assert not selector.matches({"metadata.name": "a,b", "status.phase": "Running"})
    assert str(selector) == "metadata.name=a\\,b,status.phase!=Running"


@given(st.text(max_size=6))
def test_field_values_survive_escaping(value: str) -> None:
    assert fields.unescape(fields.escape(value)) == value


@oracle.needs_oracle
@pytest.mark.parametrize("scenario", ["list-watch/selectors", "errors/bad-bodies"])
def test_malformed_selectors_read_as_recorded(scenario: str) -> None:
    for step in oracle.steps(scenario):
        query, answer = step["request"].get("query", {}), step["response"].get("body")
        message = answer.get("message", "") if isinstance(answer, dict) and step["response"]["status"] == 400 else ""
        if "labelSelector" in query:
            assert error_of(labels.parse_selector, query["labelSelector"]) == message
        if "fieldSelector" in query and "not supported" not in message and "not a known" not in message:
            assert error_of(fields.parse_selector, query["fieldSelector"]) == message


def error_of(parse: object, text: str) -> str:
    try:
        parse(text)  # type: ignore[operator]
    except ValueError as error:
        return str(error)
    return ""
