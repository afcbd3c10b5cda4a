"""The pair of streams of a forwarded connection."""

from __future__ import annotations

import pytest

from pybernetes.streaming.port_forward import asked_for, data_headers, error_headers


def test_a_pair_of_streams_names_port_and_request() -> None:
    assert asked_for(error_headers(80, 0)) == ("error", 80, "0")
    assert asked_for(data_headers(80, 0)) == ("data", 80, "0")


@pytest.mark.parametrize("change", [{"port": "0"}, {"port": "x"}, {"port": "70000"}, {"streamtype": "stdin"}])
def test_other_streams_are_not_for_forwarding(change: dict[str, str]) -> None:
    assert asked_for({**data_headers(80, 0), **change}) is None
