"""`kubectl taint`: taints of nodes, `key=value:Effect` to set and `key-` or `key:Effect-` to take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pybernetes.client import PatchType
from pybernetes.kubectl import selection, watching
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import error, usage
from pybernetes.kubectl.nodes import nodes
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    Flag("selector", "l"),
    Flag("output", "o"),
    Flag("field-manager", default="kubectl-taint"),
    Flag("dry-run", default="none", bare="unchanged"),
    switch("overwrite"),
    switch("all"),
)
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
Taint = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """Taints to set, and (key, effect) to take away; an empty effect means every one of the key."""

    added: tuple[Taint, ...]
    removed: tuple[tuple[str, str], ...]


def parse(texts: Sequence[str]) -> Change:
    """What the words after the nodes mean."""
    added: list[Taint] = []
    removed = []
    for text in texts:
        if text.endswith("-"):
            key, _, effect = text[:-1].partition(":")
            removed.append((key.partition("=")[0], effect))
            continue
        pair, _, effect = text.rpartition(":")
        key, _, value = pair.partition("=")
        if not key:
            raise usage(f"invalid taint spec: {text}", "taint")
        if effect not in _EFFECTS:
            raise usage(f"invalid taint effect: {effect}, unsupported taint effect", "taint")
        added.append({"key": key, "effect": effect} | ({"value": value} if value else {}))
    return Change(tuple(added), tuple(removed))


def changed(node: str, present: Sequence[Taint], change: Change, overwrite: bool) -> tuple[list[Taint], str]:
    """The taints after the change, and the word for it; `CommandError` when it cannot be."""
    taken = {(taint["key"], taint["effect"]) for taint in present}
    again = {(taint["key"], taint["effect"]) for taint in change.added} & taken
    if again and not overwrite:
        raise error(f"node {node} already has a taint(s) with same effect(s) and --overwrite is false")
    for key, effect in change.removed:
        if not any(taint_key == key and effect in ("", taint_effect) for taint_key, taint_effect in taken):
            raise error(f'taint "{key}{f":{effect}" if effect else ""}" not found')
    gone = {(key, effect) for key, effect in change.removed}
    kept = [
        taint
        for taint in present
        if (taint["key"], taint["effect"]) not in again | gone and (taint["key"], "") not in gone
    ]
    word = "modified" if again or (change.added and change.removed) else "tainted" if change.added else "untainted"
    return [*change.added, *kept], word


async def run(session: Session, words: Words) -> int:
    """0 when every node has its taints."""
    arguments = list(words.arguments)
    if not arguments or arguments[0].partition("/")[0] not in ("node", "nodes", "no"):
        raise error(f'invalid resource type "{arguments[0] if arguments else ""}", only node types are supported')
    split = next((n for n, word in enumerate(arguments) if n and (":" in word or word.endswith("-"))), len(arguments))
    change = parse(arguments[split:])
    names = [target.name for target in await selection.resolve(session, arguments[:split]) if target.name]
    if not names and (words.on("all") or words.text("selector")):
        listed = await session.request("GET", nodes().path(), watching.selecting(labels=words.text("selector")))
        names = [item["metadata"]["name"] for item in listed.get("items") or ()]
    if not names or not (change.added or change.removed):
        raise usage("at least one taint update is required" if names else "one or more nodes must be named", "taint")
    for name in names:
        node = await session.request("GET", nodes().path(name=name))
        taints, word = changed(name, node["spec"].get("taints") or [], change, words.on("overwrite"))
        version = {"resourceVersion": node["metadata"]["resourceVersion"]}
        patch = {"metadata": version, "spec": {"taints": taints or None}}
        if words.text("dry-run") == "none":
            await session.patch(nodes(), ("", name), patch, PatchType.MERGE)
        session.print(f"node/{name} {word}{dry_run_note(words)}")
    return 0
