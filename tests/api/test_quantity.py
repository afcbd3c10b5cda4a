from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import quantity

SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E-3"]
TEXTS = st.builds(
    lambda sign, whole, fraction, suffix: f"{sign}{whole}{fraction}{suffix}",
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**5),
    st.sampled_from(["", ".", ".5", ".25", ".001", ".123456789123"]),
    st.sampled_from(SUFFIXES),
)


@pytest.mark.parametrize(
    ("given_text", "canonical"),
    [
        ("0.5", "500m"),
        (1, "1"),
        (0.1, "100m"),
        ("1000m", "1"),
        ("1500", "1500"),
        ("12000", "12k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Ki", "102400m"),
        ("512Ki", "512Ki"),
        ("1023", "1023"),
        ("0Gi", "0"),
        ("12e3", "12e3"),
        ("1E", "1E"),
        ("-5m", "-5m"),
        ("1.", "1"),
        (".5", "500m"),
        ("12E", "12E"),
        ("12Ei", "9223372036854775807"),
    ],
)
def test_quantities_are_printed_as_go_prints_them(given_text: str | int | float, canonical: str) -> None:
    assert quantity.canonical(given_text) == canonical


@pytest.mark.parametrize("text", ["", "abc", "1x", "1 ", "1Gi1Gi"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.parse(text)


@pytest.mark.parametrize("text", ["1ki", "1ee", "1mi", "1e9999999999999999999", "1e" + "1" * 5000])
def test_an_unknown_suffix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        quantity.parse(text)


def test_rounding_goes_up() -> None:
    assert quantity.value("1.001") == 2
    assert quantity.milli("100u") == 1
    assert quantity.value("-1.5") == -2
    assert quantity.rounded_to_milli("1n") == "1m"


def test_huge_exponents_are_capped() -> None:
    assert quantity.value("9e999999999") == 2**63 - 1


def test_parts_of_a_byte_are_decimal() -> None:
    assert quantity.amount("0.5Ki").format == "BinarySI"
    assert quantity.amount("0.0005Ki").format == "DecimalSI"
    assert quantity.amount("0Ki").format == "BinarySI"


def test_arithmetic_keeps_the_first_format() -> None:
    assert quantity.add("1Gi", "512M") == "1548576Ki"
    assert quantity.add("0", "1Gi") == "1Gi"
    assert quantity.sub("1", "250m") == "750m"
    assert [quantity.compare(*pair) for pair in [("1", "1000m"), ("1Gi", "1G"), ("1", "2")]] == [0, 1, -1]
    assert quantity.from_value(2**30, "BinarySI") == "1Gi"
    assert quantity.from_milli(1500) == "1500m"


@given(TEXTS)
def test_canonical_text_stays_and_loses_nothing(text: str) -> None:
    canonical = quantity.canonical(text)
    assert quantity.parse(canonical) == quantity.parse(text)
    # Bytes without a suffix are read as a decimal number, so that it takes one more step.
    again = quantity.canonical(canonical)
    assert quantity.canonical(again) == again


@given(TEXTS, TEXTS)
def test_addition_is_exact(first: str, second: str) -> None:
    total = quantity.parse(first) + quantity.parse(second)
    if abs(total) < 2**62:
        assert quantity.parse(quantity.add(first, second)) == total
        assert quantity.compare(first, second) == (total - 2 * quantity.parse(second) > Fraction(0)) - (
            total - 2 * quantity.parse(second) < 0
        )
