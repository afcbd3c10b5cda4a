from __future__ import annotations

import pytest

from pybernetes.apiserver.query_numbers import parse_int, parse_uint


def test_numbers_of_64_bits() -> None:
    assert parse_uint("18446744073709551615") == 2**64 - 1
    assert parse_int("-9223372036854775808") == -(2**63)
    assert parse_int("007") == 7


@pytest.mark.parametrize("text", ["", "x", "1_0", "١٢", "²", "1.0", " 1"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        parse_int(text)


@pytest.mark.parametrize("text", ["18446744073709551616", "9" * 5000])
def test_what_is_too_large(text: str) -> None:
    with pytest.raises(ValueError, match="value out of range"):
        parse_uint(text)
