"""`kubectl set image`: other images for the containers of workloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.client import PatchType
from pybernetes.kubectl import selection
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import CommandError, error
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    Flag("output", "o"),
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("field-manager", default="kubectl-set"),
    switch("all"),
)


async def run(session: Session, words: Words) -> int:
    """0 when every container has its image."""
    action, *arguments = words.arguments or ("",)
    if action != "image":
        raise CommandError(f"error: unknown command \"{action}\"\nSee 'kubectl set -h' for help and examples")
    images = dict(part.split("=", 1) for part in arguments if "=" in part)
    objects = [part for part in arguments if "=" not in part]
    if not images:
        raise error("at least one image update is required")
    for target in await selection.named(session, objects, "set"):
        where = session.namespace_of(target.resource), target.name
        patch = image_patch(await session.request("GET", target.resource.path(*where)), images)
        if patch:
            query = [("fieldManager", words.text("field-manager"))]
            query += [("dryRun", "All")] if words.text("dry-run") == "server" else []
            await session.patch(target.resource, where, patch, PatchType.STRATEGIC, query)
            session.print(f"{target.resource.label}/{target.name} image updated{dry_run_note(words)}")
    return 0


def image_patch(obj: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    """The strategic patch; empty when all is so already. `*` means every container."""
    is_pod = obj.get("kind") == "Pod"
    spec = obj["spec"] if is_pod else obj["spec"]["template"]["spec"]
    changes: dict[str, list[dict[str, str]]] = {}
    known = set()
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            known.add(container["name"])
            image = images.get(container["name"], images.get("*"))
            if image is not None and image != container.get("image"):
                changes.setdefault(field, []).append({"name": container["name"], "image": image})
    for name in images:
        if name not in known and name != "*":
            raise error(f'unable to find container named "{name}"')
    if not changes:
        return {}
    return {"spec": changes if is_pod else {"template": {"spec": changes}}}
