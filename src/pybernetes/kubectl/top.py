"""`kubectl top`: what nodes and pods use, when there is a metrics API; a clear error when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.api import quantity
from pybernetes.api.status import StatusError
from pybernetes.kubectl import printing, watching
from pybernetes.kubectl.failures import CommandError, error
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (Flag("selector", "l"), switch("all-namespaces", "A"), switch("no-headers"), switch("containers"))
_PATH = "/apis/metrics.k8s.io/v1beta1"
_MIB = 1024 * 1024


async def run(session: Session, words: Words) -> int:
    """0 when there was something to show."""
    what = words.arguments[0] if words.arguments else ""
    if what not in ("node", "nodes", "no", "pod", "pods", "po"):
        raise CommandError("error: top needs a type: node or pod\nSee 'kubectl top -h' for help and examples")
    nodes = what.startswith("no")
    middle = "" if nodes or words.on("all-namespaces") else f"/namespaces/{session.namespace}"
    path = f"{_PATH}{middle}/{'nodes' if nodes else 'pods'}"
    try:
        listed = await session.request("GET", path, watching.selecting(labels=words.text("selector")))
    except StatusError as failure:
        if failure.code in (404, 503):
            raise error("Metrics API not available") from failure
        raise
    items = listed.get("items") or ()
    rows = [_node_row(item) if nodes else _pod_row(item) for item in items]
    header = ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    lines = printing.Columns().lines(([] if words.on("no-headers") else [header]) + rows)
    session.out.write("".join(f"{line}\n" for line in lines))
    return 0


def _node_row(item: Mapping[str, Any]) -> list[str]:
    usage = item["usage"]
    return [item["metadata"]["name"], *_shown(quantity.milli(usage["cpu"]), quantity.value(usage["memory"]))]


def _pod_row(item: Mapping[str, Any]) -> list[str]:
    usages = [container["usage"] for container in item.get("containers") or ()]
    cpu = sum(quantity.milli(usage["cpu"]) for usage in usages)
    memory = sum(quantity.value(usage["memory"]) for usage in usages)
    return [item["metadata"]["name"], *_shown(cpu, memory)]


def _shown(cpu: int, memory: int) -> list[str]:
    return [f"{cpu}m", f"{memory // _MIB}Mi"]
