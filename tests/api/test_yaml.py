from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import yaml

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8) | st.sampled_from(
    ["yes", "1e3", "0x1f", "null", "~", "2020-01-01", "a: b", "- x", "#", "line\nbreak\n", " lead", "1:30", "=", "<<"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert yaml.load(yaml.dump(value)) == value


def test_plain_scalars_mean_what_go_takes_them_for() -> None:
    text = "[yes, n, 010, 0x10, 1e3, 1_000, 2020-01-01, 1:30, ~, .5, 'no', \"1\", !!str 1, v1.2]"
    expected = [True, False, 8, 16, 1000.0, 1000, "2020-01-01", "1:30", None, 0.5, "no", "1", "1", "v1.2"]
    assert yaml.load(text) == expected


def test_documents_anchors_and_merges() -> None:
    text = "a: &x {k: 1}\nb: {<<: *x, l: 2}\n---\n---\nc: [*y]\n".replace("[*y]", "[]")
    assert list(yaml.load_all(text)) == [{"a": {"k": 1}, "b": {"k": 1, "l": 2}}, None, {"c": []}]


def test_numbers_beyond_gos_are_rounded_or_text() -> None:
    text = f"[18446744073709551615, -9223372036854775808, 18446744073709551616, 0x{'f' * 17}, {'9' * 5000}, 1e999]"
    expected = [2**64 - 1, -(2**63), float(2**64), "0x" + "f" * 17, "9" * 5000, "1e999"]
    assert yaml.load(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: &a [*a]", "yaml: anchor 'a' value contains itself"),
        ("a: *b", "yaml: unknown anchor 'b' referenced"),
        ("[" * 100_000, "yaml: exceeded max depth"),
        (
            "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 1}]" for n in range(9)),
            "yaml: document contains excessive aliasing",
        ),
        ("a:\n\t- x", "yaml: line 2: found character that cannot start any token"),
    ],
)
def test_errors_are_gos(text: str, message: str) -> None:
    with pytest.raises(yaml.YamlError) as caught:
        yaml.load(text)
    assert str(caught.value) == message


def test_output_looks_like_kubectls() -> None:
    value = {"kind": "Pod", "items": [{"b": "true", "a": 1}], "data": {"x": "l1\nl2\n"}, "none": [], "empty": {}}
    assert yaml.dump(value) == (
        'data:\n  x: |\n    l1\n    l2\nempty: {}\nitems:\n- a: 1\n  b: "true"\nkind: Pod\nnone: []\n'
    )
