"""Steps whose answer differs from the recorded one, each with its reason. The list only shrinks."""

from __future__ import annotations

ACCEPTED: dict[str, dict[int, str]] = {}


def accepted_of(scenario: str) -> dict[int, str]:
    """The accepted steps of a scenario, by number."""
    return ACCEPTED.get(scenario, {})
