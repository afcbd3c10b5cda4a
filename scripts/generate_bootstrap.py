"""Writes the data files of `apiserver/bootstrap` from answers recorded from a real API server.

    python scripts/generate_bootstrap.py ../shared/oracle/controllers/clusterrole-aggregation.json

Only structure is taken over: which roles, bindings and flow-control objects exist, and what they say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/pybernetes/apiserver/bootstrap"
DEFAULTS = ("kubernetes.io/bootstrapping", "rbac-defaults")


def main(recorded: Path) -> None:
    """Reads the recorded lists and writes `rbac.json` and `flow_control.json`."""
    steps = json.loads(recorded.read_text())["steps"]
    gets = (step for step in steps if step["request"]["method"] == "GET")
    lists = {step["request"]["path"].rsplit("/", 1)[-1]: step["response"]["body"] for step in gets}
    rbac = {
        name: [_rbac(item) for item in lists[name]["items"] if _is_default(item)]
        for name in ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
    }
    _write("rbac.json", rbac)
    flow = {
        name: {item["metadata"]["name"]: item["spec"] for item in lists[name]["items"]}
        for name in ("flowschemas", "prioritylevelconfigurations")
    }
    _write("flow_control.json", flow)


def _is_default(item: dict[str, Any]) -> bool:
    return (item["metadata"].get("labels") or {}).get(DEFAULTS[0]) == DEFAULTS[1]


def _rbac(item: dict[str, Any]) -> dict[str, Any]:
    meta = item["metadata"]
    labels = {key: value for key, value in meta["labels"].items() if key != DEFAULTS[0]}
    short: dict[str, Any] = {"name": meta["name"], "namespace": meta.get("namespace"), "labels": labels}
    short |= {key: item[key] for key in ("aggregationRule", "roleRef", "subjects") if item.get(key)}
    # The rules of an aggregated role follow from the roles it gathers.
    if "aggregationRule" not in short and item.get("rules"):
        short["rules"] = item["rules"]
    return {key: value for key, value in short.items() if value}


def _write(name: str, content: dict[str, Any]) -> None:
    """One line per object, so that a change is one line of a diff."""
    lines = []
    for section, items in content.items():
        if isinstance(items, dict):
            rows = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in items.items()]
            lines.append(f' "{section}": {{\n' + ",\n".join(rows) + "\n }")
        else:
            rows = [f"  {json.dumps(value)}" for value in items]
            lines.append(f' "{section}": [\n' + ",\n".join(rows) + "\n ]")
    (TARGET / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
