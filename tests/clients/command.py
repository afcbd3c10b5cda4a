"""A command-line client: words in, text out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Command:
    """An executable with flags that every call has. Each method ends the call after a minute."""

    program: Path
    flags: tuple[str, ...]
    environment: Mapping[str, str]

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """The call as it ended, whatever its exit code."""
        argv = [str(self.program), *self.flags, *words]
        return subprocess.run(
            argv, check=False, input=stdin, capture_output=True, text=True, timeout=_PATIENCE, env=self.environment
        )

    def __call__(self, *words: str, stdin: str = "") -> str:
        """Its standard output; AssertionError with what it said when it failed."""
        ended = self.run(*words, stdin=stdin)
        assert ended.returncode == 0, f"{' '.join(words)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def fails(self, *words: str, stdin: str = "") -> str:
        """What it says when it fails, as it should."""
        ended = self.run(*words, stdin=stdin)
        assert ended.returncode != 0, f"{' '.join(words)} did not fail: {ended.stdout}"
        return ended.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--output=json"))
