"""The server that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.target import Target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()
