"""`kubectl cordon` and `uncordon`: whether new pods may come to a node."""

from __future__ import annotations

from pybernetes.client import PatchType
from pybernetes.kubectl import watching
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import usage
from pybernetes.kubectl.resources import Resource, built_in
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words

VERB_FIRST = True
FLAGS = (Flag("selector", "l"), Flag("dry-run", default="none", bare="unchanged"))


async def run(session: Session, words: Words) -> int:
    """0 when every node is as wished."""
    verb, *names = words.arguments
    for name in await chosen_nodes(session, words, verb, names):
        await set_schedulable(session, words, name, verb == "uncordon")
    return 0


def nodes() -> Resource:
    """The row of nodes."""
    found = built_in().find("nodes")
    assert found is not None
    return found


async def chosen_nodes(session: Session, words: Words, verb: str, names: list[str]) -> list[str]:
    """The nodes named, or those that the selector selects."""
    if words.text("selector"):
        listed = await session.request("GET", nodes().path(), watching.selecting(labels=words.text("selector")))
        return [item["metadata"]["name"] for item in listed.get("items") or ()]
    if not names:
        raise usage(f"USAGE: {verb} NODE [flags]", verb)
    return [name.removeprefix("node/").removeprefix("nodes/") for name in names]


async def set_schedulable(session: Session, words: Words, name: str, schedulable: bool) -> None:
    """Changes the node if need be, and says so."""
    node = await session.request("GET", nodes().path(name=name))
    done = "uncordoned" if schedulable else "cordoned"
    if bool(node["spec"].get("unschedulable")) != schedulable:
        session.print(f"node/{name} already {done}{dry_run_note(words)}")
        return
    patch = {"spec": {"unschedulable": None if schedulable else True}}
    if words.text("dry-run") != "client":
        query = [("dryRun", "All")] if words.text("dry-run") == "server" else []
        await session.patch(nodes(), ("", name), patch, PatchType.STRATEGIC, query)
    session.print(f"node/{name} {done}{dry_run_note(words)}")
