"""ASCII digits that fit into 64 bits, and nothing else."""

from __future__ import annotations

import pytest

from pybernetes.api.whole_number import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("80", 80), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", " 1", "1\n", "-1", "+1", "1.0", "1_0", "²", "٣", "x", str(2**63), "9" * 5000])
def test_no_number(text: str) -> None:
    assert whole_number(text) is None
