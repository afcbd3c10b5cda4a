from __future__ import annotations

import pytest

from pybernetes.api import int_or_string, names


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.dns1123_label, ["a", "a-1", "0" * 63], ["", "A", "-a", "a.b", "a" * 64, "a\n"]),
        (names.dns1123_subdomain, ["a.b-c.d", "1"], ["", "a..b", ".a", "a_b", "a." * 130 + "a"]),
        (names.dns1035_label, ["a-1"], ["1a", "a-", "a.b"]),
        (names.qualified_name, ["a", "A.b_c-d", "example.com/Name"], ["", "/a", "a/", "a/b/c", "A_/x", "-", "x" * 64]),
        (names.label_value, ["", "a", "A.b_c-d"], ["-", "a b", "é", "x" * 64]),
        (names.config_map_key, ["a", ".hidden", "A_B.c-d"], ["", ".", "..", "..a", "a/b", "a" * 254]),
        (names.env_var_name, ["A", "a.b-c d", "1"], ["", "a=b", "\t", "é"]),
        (names.path_segment_name, ["a:b", "system:x"], [".", "..", "a/b", "50%"]),
        (names.port_name, ["http", "a-1"], ["", "HTTP", "1", "-a", "a--b", "sixteencharacter"]),
        (names.wildcard_dns1123_subdomain, ["*.a.b"], ["*", "*.*", "a.b", "*.A"]),
    ],
)
def test_checks(check: object, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if check(value)] == []  # type: ignore[operator]
    assert [value for value in bad if not check(value)] == []  # type: ignore[operator]


def test_texts_are_upstreams() -> None:
    assert names.dns1123_label("A") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]
    assert names.qualified_name("/") == [
        "prefix part must be non-empty",
        "name part must be non-empty",
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ]


def test_counts_that_may_be_percentages() -> None:
    assert int_or_string.scaled(3, 10, round_up=True) == 3
    assert int_or_string.scaled("25%", 10, round_up=True) == 3
    assert int_or_string.scaled("25%", 10, round_up=False) == 2
    with pytest.raises(ValueError, match="string is not a percentage"):
        int_or_string.scaled("x", 10, round_up=True)
