"""Our server's answers against the recorded ones, one test per scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.accepted import ACCEPTED, accepted_of
from tests.oracle.recording import FOLDERS, ORACLE, scenarios, steps
from tests.oracle.scenario import name_of, run

PATHS = scenarios(*FOLDERS)

pytestmark = pytest.mark.skipif(not PATHS, reason="the recordings are not at hand")


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_answers_as_recorded(path: Path) -> None:
    accepted = accepted_of(name_of(path))
    found = run(path)
    titles = {step.number: step.title for step in steps(path)}
    unexpected = {titles[number]: texts for number, texts in found.items() if number not in accepted}
    assert not unexpected
    assert not accepted.keys() - found.keys(), "steps that are equal by now are accepted no longer"


def test_accepted_steps_exist() -> None:
    for scenario, reasons in ACCEPTED.items():
        assert reasons.keys() <= {step.number for step in steps(ORACLE / f"{scenario}.json")}
