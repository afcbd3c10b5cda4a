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
