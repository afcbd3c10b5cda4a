"""Prints how much of the recordings our server answers equally: `python -m tests.oracle [-v] [FOLDER | SCENARIO ...]`.

With `-v` also where each step differs; `--accepted` leaves out the steps that are accepted already.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter

from tests.oracle.accepted import accepted_of
from tests.oracle.recording import FOLDERS, ORACLE, scenarios, steps
from tests.oracle.scenario import name_of, run


def main(arguments: list[str]) -> None:
    verbose, hidden = "-v" in arguments, "--accepted" in arguments
    logging.disable()
    names = [argument for argument in arguments if not argument.startswith("-")] or list(FOLDERS)
    paths = [path for name in names for path in ([ORACLE / f"{name}.json"] if "/" in name else scenarios(name))]
    table: dict[str, Counter[str]] = {}
    for path in paths:
        scenario, total = name_of(path), len(steps(path))
        found, accepted = run(path), accepted_of(scenario)
        row = table.setdefault(path.parent.name, Counter())
        row.update(steps=total, equal=total - len(found), accepted=len(found.keys() & accepted.keys()))
        print(f"{scenario}: {total - len(found)}/{total}")
        if verbose:
            for step in steps(path):
                if step.number in found and not (hidden and step.number in accepted):
                    print("  --", step.title, *(f"\n       {text}" for text in found[step.number][:6]))
    print("| folder | steps | equal | accepted |\n|---|---|---|---|")
    for folder, row in {**table, "all": sum(table.values(), Counter())}.items():
        print(f"| {folder} | {row['steps']} | {row['equal']} | {row['accepted']} |")


main(sys.argv[1:])
