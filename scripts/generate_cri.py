"""Writes src/pybernetes/kubelet/cri/schema.json: the messages, enums and methods of CRI v1 that the kubelet speaks.

Usage: python scripts/generate_cri.py path/to/protobuf-cri-v1.json
The input holds every field number of the interface; what concerns Windows and metrics is left out. The messages by
which containerd tells of its events are added by hand: they belong to no CRI file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parents[1] / "src/pybernetes/kubelet/cri/schema.json"
LEFT_OUT = ("Windows", "Metric", "Psi", "StreamPod", "StreamContainer", "StreamImages", "Checkpoint")

CONTAINERD_EVENTS = {
    "package": "containerd.services.events.v1",
    "enums": {},
    "messages": {
        "SubscribeRequest": {"filters": [1, "repeated string"]},
        "Payload": {"type_url": [1, "string"], "value": [2, "bytes"]},
        "Envelope": {"namespace": [2, "string"], "topic": [3, "string"], "event": [4, "Payload"]},
        "TaskExit": {"container_id": [1, "string"], "id": [2, "string"], "exit_status": [4, "uint32"]},
        "TaskOOM": {"container_id": [1, "string"]},
    },
    "methods": {"Events": {"Subscribe": ["SubscribeRequest", "stream Envelope"]}},
}


def short(name: str, package: str) -> str:
    """A type without the package, with its words (`repeated`, `stream`) kept."""
    return name.replace(f"{package}.", "")


def wanted(name: str) -> bool:
    return not any(part in name for part in LEFT_OUT)


def compact(source: dict[str, Any]) -> dict[str, Any]:
    package = source["package"]
    messages = {
        short(name, package): {
            field: [number, short(type_, package), *rest]
            for field, (number, type_, *rest) in fields.items()
            if wanted(type_)
        }
        for name, fields in source["messages"].items()
        if wanted(short(name, package))
    }
    methods: dict[str, dict[str, list[str]]] = {}
    for service, rows in source["services"].items():
        methods[short(service, package)] = {
            method: [short(each, package) for each in types]
            for method, types in rows.items()
            if all(wanted(short(each, package)) for each in types) and wanted(method)
        }
    enums = {short(name, package): values for name, values in source["enums"].items() if wanted(name)}
    return {"package": package, "enums": enums, "messages": messages, "methods": methods}


def main() -> None:
    source = json.loads(Path(sys.argv[1]).read_text())
    OUTPUT.write_text(json.dumps([compact(source), CONTAINERD_EVENTS], separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
