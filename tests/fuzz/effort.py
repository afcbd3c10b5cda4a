"""Few and always the same examples, so that the tests take seconds and never flicker; FUZZ_EXAMPLES asks for more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_ASKED = int(os.environ.get("FUZZ_EXAMPLES", "0"))
fuzzed = settings(
    max_examples=_ASKED or 60,
    derandomize=not _ASKED,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
