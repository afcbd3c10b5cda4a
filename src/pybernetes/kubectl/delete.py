"""`kubectl delete`: by name, selector or file; then waits until the objects are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pybernetes.api.status import StatusError
from pybernetes.kubectl import selection, watching
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import CommandError, error, explained, several
from pybernetes.kubectl.manifests import FILES, read
from pybernetes.kubectl.resources import Resource
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *FILES,
    Flag("selector", "l"),
    Flag("field-selector"),
    Flag("output", "o"),
    Flag("grace-period", default="-1"),
    Flag("timeout", default="0"),
    Flag("cascade", default="background", bare="background"),
    Flag("dry-run", default="none", bare="unchanged"),
    switch("all"),
    switch("all-namespaces", "A"),
    switch("force"),
    switch("now"),
    switch("ignore-not-found"),
    switch("wait", default="true"),
)
_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely."
)


@dataclass(frozen=True)
class Doomed:
    """One object that is to go."""

    resource: Resource
    namespace: str
    name: str

    @property
    def where(self) -> tuple[str, str]:
        return self.namespace, self.name


async def run(session: Session, words: Words) -> int:
    """0 when everything is gone (or, with --wait=false, asked to go)."""
    if words.on("force") and _grace(words) == 0 and not _quiet(words):
        session.warn(_FORCED)
    doomed = await _chosen(session, words)
    if not doomed:
        session.print("No resources found")
        return 0
    failures: list[CommandError] = []
    waiting: list[tuple[Doomed, str]] = []
    for item in doomed:
        try:
            answer = await session.request("DELETE", item.resource.path(*item.where), _query(words), _options(words))
        except StatusError as failure:
            if failure.code != 404 or not (words.on("ignore-not-found") or words.on("all")):
                failures.append(explained(failure))
            continue
        _say(session, words, item)
        waiting.append((item, _uid(answer)))
    if words.on("wait") and words.text("dry-run") == "none":
        await _wait(session, words, waiting)
    if failures:
        raise several(failures)
    return 0


async def _chosen(session: Session, words: Words) -> list[Doomed]:
    if words.given("filename"):
        return [Doomed(item.resource, item.namespace, item.name) for item in await read(session, words)]
    targets = await selection.resolve(session, words.arguments)
    if not targets:
        raise error("You must provide one or more resources by argument or filename.")
    selecting = bool(words.text("selector") or words.text("field-selector") or words.on("all"))
    doomed = []
    for target in targets:
        resource = target.resource
        if not resource.namespaced and session.namespace_given:
            session.warn("Warning: deleting cluster-scoped resources, not scoped to the provided namespace")
        if target.name:
            doomed.append(Doomed(resource, session.namespace_of(resource), target.name))
        elif selecting:
            doomed += await _selected(session, words, resource)
        else:
            raise error("resource(s) were provided, but no name was specified")
    return doomed


async def _selected(session: Session, words: Words, resource: Resource) -> list[Doomed]:
    namespace = "" if words.on("all-namespaces") else session.namespace_of(resource)
    query = watching.selecting("", words.text("selector"), words.text("field-selector"))
    listed = await session.request("GET", resource.path(namespace), query)
    places = [item["metadata"] for item in listed.get("items") or ()]
    return [Doomed(resource, place.get("namespace", ""), place["name"]) for place in places]


def _grace(words: Words) -> int | None:
    """Seconds; None leaves it to the object."""
    if words.on("now"):
        return 1
    grace = words.number("grace-period")
    if words.on("force"):
        return max(grace, 0)
    # Without --force nothing is taken away at once: one second is the least.
    return None if grace < 0 else max(grace, 1)


def _options(words: Words) -> dict[str, Any]:
    policies = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan", "true": "Background"}
    policy = policies.get(words.text("cascade"), "Orphan")
    grace = _grace(words)
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": policy,
        **({} if grace is None else {"gracePeriodSeconds": grace}),
    }


def _query(words: Words) -> list[tuple[str, str]]:
    return [("dryRun", "All")] if words.text("dry-run") == "server" else []


def _quiet(words: Words) -> bool:
    return words.text("output") == "name"


def _say(session: Session, words: Words, item: Doomed) -> None:
    if _quiet(words):
        session.print(f"{item.resource.label}/{item.name}")
        return
    done = "force deleted" if words.on("force") and _grace(words) == 0 else "deleted"
    session.print(f'{item.resource.label} "{item.name}" {done}{dry_run_note(words)}')


def _uid(answer: dict[str, Any]) -> str:
    """The UID of what was deleted: the answer is the object, or a Status that names it."""
    metadata, details = answer.get("metadata") or {}, answer.get("details") or {}
    return str(metadata.get("uid") or details.get("uid") or "")


async def _wait(session: Session, words: Words, waiting: Sequence[tuple[Doomed, str]]) -> None:
    seconds = words.seconds("timeout")
    try:
        async with asyncio.timeout(seconds or None):
            for item, uid in waiting:
                await _gone(session, item, uid)
    except TimeoutError:
        raise error(f"timed out waiting for the condition on {item.resource.plural}/{item.name}") from None


async def _gone(session: Session, item: Doomed, uid: str) -> None:
    """Returns when the object is no more; one of the same name with another UID is another one."""

    def is_gone(obj: dict[str, Any] | None) -> bool:
        return obj is None or bool(uid and obj["metadata"].get("uid") != uid)

    try:
        await watching.until(session, item.resource, item.where, is_gone)
    except StatusError as failure:
        # Who may delete may not list; and a kind can go together with its objects.
        if failure.code not in (403, 404, 405):
            raise
