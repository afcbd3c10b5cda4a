"""Strategies: what strangers send, from plain noise to almost valid."""

# ruff: noqa: E501, SIM905 - tables of texts are read best in rows.
from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

# Texts that have broken parsers before.
NASTY = [
    "", " ", "\0", "a\0b", "\u202e", "é" * 300, "x" * 70_000, "..", "../../etc", "/", "%2f", "a/b/c",
    "-1", "1e400", "9" * 5000, "0x10", "NaN", "Infinity", "1Ei", "1e9999999", ".5.5", "1_000", "١٢", "null", "true",
    "a=b,c in (d", "!", "a in ()", "=", ",", "metadata.name=", "metadata.name==a\\", "a!=b\\,c", "{}", "[]", "${x}",
    "2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00+99:99",
    "10.96.0.1", "::1", "300.1.1.1", "1.2.3.4/99", "10.0.0.0/0", "*.a.b", "a" * 254, "A_B", "-a-", "150%", "%", "(((((", "a{9999}{9999}",
    "system:serviceaccount:a:b", "Bearer ", "\r\nX-Injected: 1", "\t", "'", '"', "`", "\\",
]  # fmt: skip
NUMBERS: list[Any] = [
    0, -1, 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 0.5, -0.0, 1e308, 5e-324, True,
]  # fmt: skip

# Lone surrogates can be written in JSON, and nowhere else.
SURROGATES = ["\ud800", "\udfff x", "x\udc80"]
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.from_regex(r"\A[a-z0-9./_=!,() -]{0,20}\Z"),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(),
    st.floats(),
    texts,
    st.sampled_from(SURROGATES),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, child in pairs:
        found += [(*above, key), *places(child, (*above, key))]
    return found


def _holder(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A copy of a value with one to three places replaced, removed, doubled or renamed."""
    result = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        found = places(result)
        if not found:
            return result
        path = draw(st.sampled_from(found))
        holder, key = _holder(result, path), path[-1]
        match draw(st.sampled_from(["replace", "replace", "scalar", "scalar", "remove", "double", "rename", "nest"])):
            case "replace":
                holder[key] = draw(values)
            case "scalar":
                holder[key] = draw(scalars)
            case "remove":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case "rename" if isinstance(holder, dict):
                holder[draw(texts)] = holder.pop(key)
            case "nest":
                holder[key] = [holder[key]] if draw(st.booleans()) else {"a": holder[key]}
    return result


def as_json(value: Any, escaped: bool = True) -> bytes:
    """JSON as a careless client writes it: `NaN` and lone surrogates included."""
    return json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
