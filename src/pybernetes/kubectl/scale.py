"""`kubectl scale`: a new number of replicas through the scale sub-resource."""

from __future__ import annotations

from pybernetes.client import PatchType
from pybernetes.kubectl import selection, watching
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *FILES,
    Flag("replicas", default=""),
    Flag("current-replicas", default="-1"),
    Flag("resource-version"),
    Flag("selector", "l"),
    Flag("timeout", default="0"),
    Flag("output", "o"),
    Flag("dry-run", default="none", bare="unchanged"),
    switch("all"),
)


async def run(session: Session, words: Words) -> int:
    """0 when every object is scaled."""
    if not words.given("replicas") or words.number("replicas") < 0:
        raise error("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    targets = await manifest_targets(session, words) or await _targets(session, words)
    for target in targets:
        await _scale(session, words, target)
    return 0


async def _targets(session: Session, words: Words) -> list[Target]:
    targets = await selection.resolve(session, words.arguments)
    found = []
    for target in targets:
        if target.name:
            found.append(target)
        elif words.on("all") or words.text("selector"):
            path = target.resource.path(session.namespace_of(target.resource))
            listed = await session.request("GET", path, watching.selecting(labels=words.text("selector")))
            found += [Target(target.resource, item["metadata"]["name"]) for item in listed.get("items") or ()]
        else:
            raise error("resource(s) were provided, but no name was specified")
    if not found:
        raise error("no objects passed to scale")
    return found


async def _scale(session: Session, words: Words, target: Target) -> None:
    path = target.resource.path(session.namespace_of(target.resource), target.name, "scale")
    expected = words.number("current-replicas")
    if expected >= 0:
        current = (await session.request("GET", path))["spec"].get("replicas", 0)
        if current != expected:
            raise error(f"Expected replicas to be {expected}, was {current}")
    query = [("dryRun", "All")] if words.text("dry-run") == "server" else []
    if words.text("dry-run") != "client":
        patch = {"spec": {"replicas": words.number("replicas")}}
        await session.request("PATCH", path, query, patch, {"content-type": PatchType.MERGE})
    if words.text("output") == "name":
        session.print(f"{target.resource.label}/{target.name}")
    else:
        session.print(f"{target.resource.label}/{target.name} scaled")
