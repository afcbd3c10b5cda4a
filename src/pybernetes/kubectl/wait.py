"""`kubectl wait`: until objects have a condition, a value or are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pybernetes.kubectl import jsonpath, selection, watching
from pybernetes.kubectl.failures import CommandError, error, several
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *FILES,
    Flag("for"),
    Flag("timeout", default="30s"),
    Flag("selector", "l"),
    Flag("field-selector"),
    Flag("output", "o"),
    switch("all"),
    switch("all-namespaces", "A"),
)
Test = Callable[[Mapping[str, Any] | None], bool]


async def run(session: Session, words: Words) -> int:
    """0 when every object has what was waited for in time."""
    test = wanted(words.text("for"))
    chosen = await _chosen(session, words)
    if not chosen:
        if words.text("for").lower() in ("delete",):
            return 0
        raise error("no matching resources found")
    failures: list[CommandError] = []
    deadline = asyncio.get_running_loop().time() + _seconds(words)
    for target, namespace in chosen:
        try:
            async with asyncio.timeout_at(deadline):
                await watching.until(session, target.resource, (namespace, target.name), test)
        except TimeoutError:
            shown = f"{target.resource.plural}/{target.name}"
            failures.append(error(f"timed out waiting for the condition on {shown}"))
            continue
        verb = "deleted" if words.text("for").lower() == "delete" else "condition met"
        session.print(f"{target.resource.label}/{target.name} {verb}")
    if failures:
        raise several(failures)
    return 0


def _seconds(words: Words) -> float:
    """A week when it is negative, as upstream has it."""
    seconds = words.seconds("timeout")
    return 7 * 86400.0 if seconds < 0 else seconds


def wanted(text: str) -> Test:
    """What `--for` means; `CommandError` when it means nothing."""
    kind, _, rest = text.partition("=")
    if text.lower() == "delete":
        return lambda obj: obj is None
    if text.lower() == "create":
        return lambda obj: obj is not None
    if kind.lower() == "condition" and rest:
        name, equals, value = rest.partition("=")
        return lambda obj: obj is not None and has_condition(obj, name, value if equals else "True")
    if kind.lower() == "jsonpath" and rest:
        return _at_path(rest)
    raise error(f'unrecognized condition: "{text}"')


def has_condition(obj: Mapping[str, Any], name: str, value: str) -> bool:
    """Whether a condition has this status and is about the newest generation."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type", "").lower() != name.lower():
            continue
        generation = obj["metadata"].get("generation", 0)
        seen = condition.get("observedGeneration", (obj.get("status") or {}).get("observedGeneration", generation))
        return bool(seen >= generation and condition.get("status", "").lower() == value.lower())
    return False


def _at_path(text: str) -> Test:
    """`{.status.phase}=Running`, or `{.status.loadBalancer}` for any value."""
    inner = text.strip("'\"")
    end = inner.rfind("}")
    path = jsonpath.parse_relaxed(inner[: end + 1])
    value = inner[end + 1 :].removeprefix("=").strip("'\"") if "=" in inner[end + 1 :] else None

    def test(obj: Mapping[str, Any] | None) -> bool:
        found = [jsonpath.shown(item) for item in path.values(obj)] if obj is not None else []
        return bool(found) and (value is None or found == [value])

    return test


async def _chosen(session: Session, words: Words) -> list[tuple[Target, str]]:
    targets = await manifest_targets(session, words) or await selection.resolve(session, words.arguments)
    if not targets:
        raise error("You must provide one or more resources by argument or filename.")
    chosen = []
    for target in targets:
        namespace = session.namespace_of(target.resource)
        if target.name:
            if words.text("for").lower() not in ("delete", "create"):
                await session.request("GET", target.resource.path(namespace, target.name))
            chosen.append((target, namespace))
            continue
        query = watching.selecting("", words.text("selector"), words.text("field-selector"))
        everywhere = "" if words.on("all-namespaces") else namespace
        listed = await session.request("GET", target.resource.path(everywhere), query)
        for item in listed.get("items") or ():
            metadata = item["metadata"]
            chosen.append((Target(target.resource, metadata["name"]), metadata.get("namespace", "")))
    return chosen
