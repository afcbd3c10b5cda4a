"""JSONPath expressions."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.json_path import PathError, parse

VALUE = {"a": {"b": 1}, "l": [{"t": "x", "v": 1}, {"t": "y", "v": 2}, {"t": "z"}], "m": {"a.b": 3, "c": None}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        ("$.a.b", [1]),
        (".l[0].t", ["x"]),
        (".l[-1].t", ["z"]),
        (".l[-1:].t", ["z"]),
        (".l[:2].t", ["x", "y"]),
        (".l[0:3:2].t", ["x", "z"]),
        (".l[*].v", [1, 2]),
        (".l[0,2].t", ["x", "z"]),
        ('.l[?(@.t=="y")].v', [2]),
        (".l[?(@.v>1)].t", ["y"]),
        (".l[?(@.v)].t", ["x", "y"]),
        ("..t", ["x", "y", "z"]),
        (".m['a.b']", [3]),
        (r".m.a\.b", [3]),
        (".m.c", [None]),
        (".none.more", []),
        (".l[7]", []),
    ],
)
def test_paths_find_values(path: str, found: list[Any]) -> None:
    assert parse(path).values(VALUE) == found


@pytest.mark.parametrize(
    "text",
    [
        *("spec", ".a[", ".a[b]", ".a[]", ".a[-]", ".l[0:2:0]", ".a?"),
        pytest.param(f".a[{'9' * 5000}]", id="long"),
        pytest.param(".a[?(@" * 5000 + ")]" * 5000, id="deep"),
    ],
)
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(PathError):
        parse(text)


def test_operators_may_stand_far_apart() -> None:
    assert parse(f'.l[?(@.t{" " * 5000}=="y")].v').values(VALUE) == [2]


@pytest.mark.parametrize("text", [".a" * 10_000, ".l[?(@.t" + " " * 100_000 + '=="y")]', f".l[{'1' * 5000}]"])
def test_paths_have_an_end(text: str) -> None:
    with pytest.raises(PathError):
        parse(text)


def test_who_wants_few_values_is_not_kept_by_many() -> None:
    value: Any = {"v": 1}
    for _ in range(60):
        value = {"a": value, "b": 1}
    assert set(parse("..*" * 8 + ".v").values(value, 1000)) <= {1}
