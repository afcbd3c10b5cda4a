"""Which texts have which format."""

from __future__ import annotations

import pytest

from pybernetes.apiserver.custom.formats import has_format, is_known


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "date-time",
            ["2020-01-01T00:00:00Z", "2020-01-01t09:08:07.5+01:00"],
            ["", "yesterday", "2020-01-01 00:00:00Z"],
        ),
        ("date", ["2020-02-29"], ["2020-02-30", "20200229"]),
        ("duration", ["1h30m", "1.5h", "22 ns", "2 weeks 3 days"], ["", "soon", "1 fortnight", "1.5 days"]),
        ("uuid", ["0f8fad5b-d9cb-469f-a165-70867728950e"], ["0f8f"]),
        ("uri", ["https://a.b/c?d", "/a", "mailto:a@b.c", "http://[::1]:80/"], ["", "a.b", "http://a b/", "/%zz"]),
        ("email", ["a@b", "a.b+c@d.e", '"a b"@c.d', "Ann <a@b.c>"], ["a", "a@", "a@b@c", "a b@c"]),
        (
            "hostname",
            ["x", "x-y", "a.b.com", "1.com", "www.the-one.org"],
            ["a.b", "a_b", "-a.com", "a-.com", "1.1.1.1"],
        ),
        ("ipv4", ["10.0.0.1", "10.0.0.01"], ["::1", "10.0.0", "10.0.0.0.1"]),
        ("ipv6", ["::1", "fd00::a"], ["10.0.0.1", "fe80::1%eth0"]),
        ("cidr", ["10.0.0.1/8", "fd00::/64"], ["10.0.0.0", "10.0.0.0/33"]),
        ("mac", ["01:02:03:04:05:06", "0102.0304.0506"], ["01:02:03:04:05", "01:02:03-04:05:06"]),
        ("byte", ["aGk="], ["", "a", "aGk"]),
        ("isbn", ["0321751043", "978-0321751041"], ["0321751044", "978-0321751042"]),
        ("creditcard", ["4111-1111-1111-1111"], ["4111-1111-1111-1112", "1"]),
        ("ssn", ["111-11-1111", "999 99 9999"], ["111111111"]),
        ("rgbcolor", ["rgb(0, 10,255)"], ["rgb(0,0,256)"]),
        ("hexcolor", ["#abc", "abcdef"], ["#abcd"]),
        ("k8s-short-name", ["a-1"], ["a.b", "A"]),
        ("k8s-long-name", ["a.b-1"], ["a..b", "A"]),
        ("odd", ["anything"], []),
    ],
)
def test_formats(name: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not has_format(text, name)] == []
    assert [text for text in bad if has_format(text, name)] == []


@pytest.mark.parametrize(
    ("type_", "format_", "known"),
    [
        ("string", "date-time", True),
        ("string", "datetime", True),
        ("", "uuid", True),
        ("string", "int32", False),
        ("integer", "int32", True),
        ("number", "int32", False),
        ("number", "double", True),
        ("object", "uuid", False),
    ],
)
def test_a_format_means_something_for_its_type(type_: str, format_: str, known: bool) -> None:
    assert is_known({"type": type_, "format": format_}) is known
