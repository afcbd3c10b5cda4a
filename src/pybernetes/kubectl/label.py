"""`kubectl label` and `annotate`: sets `key=value` and takes away `key-` on objects.

`changed` decides what becomes of the map; the verb sends the difference as a merge patch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pybernetes.client import PatchType
from pybernetes.kubectl import output, selection, watching
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import error, usage
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

VERB_FIRST = True
FLAGS = (
    *FILES,
    *output.FLAGS,
    Flag("selector", "l"),
    Flag("field-selector"),
    Flag("resource-version"),
    Flag("field-manager", default=""),
    Flag("dry-run", default="none", bare="unchanged"),
    switch("overwrite"),
    switch("list"),
    switch("all"),
    switch("all-namespaces", "A"),
)


@dataclass(frozen=True)
class Wanted:
    """Pairs to set and keys to take away."""

    pairs: Mapping[str, str]
    removed: tuple[str, ...] = ()


def split(arguments: Sequence[str]) -> tuple[list[str], Wanted]:
    """Arguments apart: the objects, and what is wanted of them."""
    objects: list[str] = []
    pairs: dict[str, str] = {}
    removed: list[str] = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals:
            pairs[key] = value
        elif argument.endswith("-") and objects:
            removed.append(argument[:-1])
        else:
            objects.append(argument)
    return objects, Wanted(pairs, tuple(removed))


def conflicts(present: Mapping[str, str], wanted: Wanted) -> list[str]:
    """Why `--overwrite` would be needed: kubectl's words for each key that has another value."""
    return [
        f"'{key}' already has a value ({present[key]}), and --overwrite is false"
        for key, value in wanted.pairs.items()
        if key in present and present[key] != value
    ]


def difference(present: Mapping[str, str], wanted: Wanted) -> dict[str, str | None]:
    """The merge patch of the map; empty when it is already so."""
    changed: dict[str, str | None] = {key: value for key, value in wanted.pairs.items() if present.get(key) != value}
    return changed | {key: None for key in wanted.removed if key in present}


def verdict(verb: str, patch: Mapping[str, str | None], wanted: Wanted) -> str:
    """The word behind the object's name."""
    if verb == "annotate":
        return "annotated"
    if not patch:
        return "not labeled"
    # Only taking away is called so.
    return "unlabeled" if wanted.removed and not wanted.pairs else "labeled"


async def run(session: Session, words: Words) -> int:
    """0 when every object has what was wanted."""
    verb, *arguments = words.arguments
    objects, wanted = split(arguments)
    if not wanted.pairs and not wanted.removed and not words.on("list"):
        noun = "label" if verb == "label" else "annotation"
        raise usage(f"at least one {noun} update is required", verb)
    targets = await manifest_targets(session, words) or await _targets(session, words, objects)
    for target in targets:
        await _change(session, words, target, verb, wanted)
    return 0


async def _targets(session: Session, words: Words, objects: Sequence[str]) -> list[Target]:
    targets = await selection.resolve(session, objects)
    if not targets:
        raise error("resource(s) were provided, but no name was specified")
    found: list[Target] = []
    for target in targets:
        if target.name:
            found.append(target)
        elif words.text("selector") or words.text("field-selector") or words.on("all"):
            query = watching.selecting("", words.text("selector"), words.text("field-selector"))
            listed = await session.request("GET", target.resource.path(session.namespace_of(target.resource)), query)
            found += [Target(target.resource, item["metadata"]["name"]) for item in listed.get("items") or ()]
        else:
            raise error("resource(s) were provided, but no name was specified")
    return found


async def _change(session: Session, words: Words, target: Target, verb: str, wanted: Wanted) -> None:
    field = "labels" if verb == "label" else "annotations"
    resource, where = target.resource, (session.namespace_of(target.resource), target.name)
    current = await session.request("GET", resource.path(*where))
    present: dict[str, str] = current["metadata"].get(field) or {}
    if words.on("list"):
        for key in sorted(present):
            session.print(f"{key}={present[key]}")
        return
    if not words.on("overwrite") and (problems := conflicts(present, wanted)):
        raise error(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    for key in wanted.removed:
        if key not in present:
            session.print(f'{verb if verb == "label" else "annotation"} "{key}" not found.')
    patch = difference(present, wanted)
    result = await _send(session, words, target, {"metadata": {field: patch}}, verb) if patch else current
    if words.text("output"):
        session.out.write(output.printer(words)(result))
    else:
        session.print(f"{resource.label}/{target.name} {verdict(verb, patch, wanted)}{dry_run_note(words)}")


async def _send(session: Session, words: Words, target: Target, patch: Any, verb: str) -> dict[str, Any]:
    query = [("fieldManager", words.text("field-manager") or f"kubectl-{verb}")]
    if words.text("dry-run") == "server":
        query.append(("dryRun", "All"))
    where = (session.namespace_of(target.resource), target.name)
    if words.text("dry-run") == "client":
        found: dict[str, Any] = await session.request("GET", target.resource.path(*where))
        return found
    return await session.patch(target.resource, where, patch, PatchType.MERGE, query)
