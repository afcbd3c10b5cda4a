"""`kubectl rollout`: status, history, undo, restart, pause and resume of Deployments, DaemonSets and StatefulSets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pybernetes.api import encoding, time
from pybernetes.api.types.core_v1 import PodTemplateSpec
from pybernetes.client import PatchType
from pybernetes.kubectl import output, printing, selection, watching, workloads
from pybernetes.kubectl.apply import LAST_APPLIED, dry_run_note
from pybernetes.kubectl.describe.template import describe_template
from pybernetes.kubectl.describe.writing import Writing
from pybernetes.kubectl.failures import CommandError, error
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.rollout_status import status_line
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *FILES,
    *output.FLAGS,
    Flag("selector", "l"),
    switch("watch", "w", "true"),
    Flag("timeout", default="0"),
    Flag("revision", default="0"),
    Flag("to-revision", default="0"),
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("field-manager", default="kubectl-rollout"),
)
Object = dict[str, Any]
_PAUSED = "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
RESTARTED = "kubectl.kubernetes.io/restartedAt"


async def run(session: Session, words: Words) -> int:
    """0 when done; for `status`, when the rollout has ended well."""
    if not words.arguments:
        raise error("must specify one of history, pause, restart, resume, status, undo")
    action, *objects = words.arguments
    act = _ACTIONS.get(action)
    if act is None:
        raise CommandError(f"error: unknown command \"{action}\"\nSee 'kubectl rollout -h' for help and examples")
    targets = await manifest_targets(session, words) or await _targets(session, words, objects)
    for target in targets:
        await act(session, words, target)
    return 0


async def _targets(session: Session, words: Words, objects: Sequence[str]) -> list[Target]:
    found: list[Target] = []
    for target in await selection.resolve(session, objects):
        if target.name:
            found.append(target)
            continue
        path = target.resource.path(session.namespace_of(target.resource))
        listed = await session.request("GET", path, watching.selecting(labels=words.text("selector")))
        found += [Target(target.resource, item["metadata"]["name"]) for item in listed.get("items") or ()]
    if not found:
        raise error("required resource not specified")
    return found


async def _object(session: Session, target: Target) -> Object:
    where = session.namespace_of(target.resource), target.name
    found: Object = await session.request("GET", target.resource.path(*where))
    return found


async def _send(session: Session, words: Words, target: Target, patch: Any, media: PatchType) -> None:
    query = [("fieldManager", words.text("field-manager"))]
    if words.text("dry-run") == "server":
        query.append(("dryRun", "All"))
    if words.text("dry-run") != "client":
        await session.patch(target.resource, (session.namespace_of(target.resource), target.name), patch, media, query)


def _say(session: Session, words: Words, target: Target, done: str) -> None:
    session.print(f"{target.resource.label}/{target.name} {done}{dry_run_note(words)}")


async def _status(session: Session, words: Words, target: Target) -> None:
    resource, namespace = target.resource, session.namespace_of(target.resource)
    await _object(session, target)
    try:
        async with (
            asyncio.timeout(words.seconds("timeout") or None),
            aclosing(watching.changes(session, resource, namespace, watching.selecting(target.name))) as following,
        ):
            async for type_, obj in following:
                items = obj.get("items") or () if type_ == "LISTED" else (obj,)
                if type_ == "DELETED" or not items:
                    raise error("object has been deleted")
                line, done = status_line(items[0], resource.kind)
                session.print(line)
                if done or not words.on("watch"):
                    return
    except TimeoutError:
        raise error("timed out waiting for the condition") from None


async def _revisions(session: Session, obj: Object, kind: str) -> list[Object]:
    if kind == "Deployment":
        return await workloads.replica_sets(session, obj)
    if kind in ("DaemonSet", "StatefulSet"):
        return await workloads.controller_revisions(session, obj)
    raise error(f"no history viewer has been implemented for {kind}")


def history_table(revisions: Sequence[Mapping[str, Any]]) -> str:
    """Revision numbers and why they came."""
    lines = ["REVISION\tCHANGE-CAUSE"]
    for item in sorted(revisions, key=workloads.revision_of):
        cause = (item["metadata"].get("annotations") or {}).get(workloads.CHANGE_CAUSE) or "<none>"
        lines.append(f"{workloads.revision_of(item)}\t{cause}")
    return printing.aligned("\n".join(lines)) + "\n"


async def _history(session: Session, words: Words, target: Target) -> None:
    obj = await _object(session, target)
    revisions = await _revisions(session, obj, target.resource.kind)
    number = words.number("revision")
    if number:
        chosen = next((item for item in revisions if workloads.revision_of(item) == number), None)
        if chosen is None:
            raise error("unable to find the specified revision")
        session.print(f"{target.resource.label}/{target.name} with revision #{number}")
        session.print(_template_text(template_of(chosen)))
        return
    session.print(f"{target.resource.label}/{target.name} ")
    session.print(history_table(revisions))


def template_of(revision: Mapping[str, Any]) -> Object:
    """The pod template that a ReplicaSet or ControllerRevision keeps."""
    holder = revision.get("data") or revision
    template: Object = holder["spec"]["template"]
    return template


def _template_text(template: Object) -> str:
    writing = Writing()
    template = {**template, "metadata": {**(template.get("metadata") or {})}}
    describe_template(writing, encoding.from_value(template, PodTemplateSpec).object)
    # Upstream leaves the tabs in this text.
    return writing.raw()


def earlier(revisions: Sequence[Object], wanted: int, shown: str) -> Object:
    """The revision to go back to: the one named, or the last but one for 0."""
    if wanted:
        found = next((item for item in revisions if workloads.revision_of(item) == wanted), None)
        if found is None:
            raise error(f"unable to find specified revision {wanted} in history")
        return found
    if len(revisions) < 2:
        raise error(f"no rollout history found for {shown}")
    return revisions[-2]


async def _undo(session: Session, words: Words, target: Target) -> None:
    obj, kind = await _object(session, target), target.resource.kind
    if obj["spec"].get("paused"):
        raise error(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    revisions = await _revisions(session, obj, kind)
    shown = f'{kind.lower()} "{target.name}"'
    chosen = earlier(revisions, words.number("to-revision"), shown)
    if kind != "Deployment":
        await _send(session, words, target, chosen["data"], PatchType.STRATEGIC)
        return _say(session, words, target, "rolled back")
    template = without_hash(template_of(chosen))
    if template == without_hash(obj["spec"]["template"]):
        number = workloads.revision_of(chosen)
        return _say(session, words, target, f"skipped rollback (current template already matches revision {number})")
    patch = [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations_after(obj, chosen)},
    ]
    await _send(session, words, target, patch, PatchType.JSON)
    return _say(session, words, target, "rolled back")


def without_hash(template: Object) -> Object:
    """The template as the Deployment had it."""
    labels = (template.get("metadata") or {}).get("labels") or {}
    kept = {key: value for key, value in labels.items() if key != workloads.TEMPLATE_HASH}
    return {**template, "metadata": {**(template.get("metadata") or {}), "labels": kept}}


# Annotations that belong to the Deployment as it is, not to one of its revisions.
_OWN = frozenset(
    {
        LAST_APPLIED,
        workloads.REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)


def annotations_after(deployment: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, str]:
    """The Deployment's annotations after going back: the revision's, and those that are the Deployment's own."""
    own = {key: text for key, text in (deployment["metadata"].get("annotations") or {}).items() if key in _OWN}
    old = {key: text for key, text in (chosen["metadata"].get("annotations") or {}).items() if key not in _OWN}
    return {**own, **old}


async def _restart(session: Session, words: Words, target: Target) -> None:
    obj = await _object(session, target)
    if obj["spec"].get("paused"):
        raise error(f'deployments.apps "{target.name}" can\'t restart paused deployment (run rollout resume first)')
    if "template" not in obj["spec"]:
        raise error(f'{target.resource.plural} "{target.name}" restarting is not supported')
    annotations = {RESTARTED: time.format(session.now())}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    await _send(session, words, target, patch, PatchType.STRATEGIC)
    _say(session, words, target, "restarted")


async def _pause(session: Session, words: Words, target: Target) -> None:
    await _set_paused(session, words, target, True)


async def _resume(session: Session, words: Words, target: Target) -> None:
    await _set_paused(session, words, target, False)


async def _set_paused(session: Session, words: Words, target: Target, paused: bool) -> None:
    obj = await _object(session, target)
    if target.resource.kind != "Deployment":
        raise error(f'{target.resource.group_resource} "{target.name}" pausing is not supported')
    if bool(obj["spec"].get("paused")) == paused:
        state = "is already paused" if paused else "is not paused"
        raise error(f'{target.resource.group_resource} "{target.name}" {state}')
    await _send(session, words, target, {"spec": {"paused": True if paused else None}}, PatchType.STRATEGIC)
    _say(session, words, target, "paused" if paused else "resumed")


_ACTIONS: dict[str, Callable[[Session, Words, Target], Awaitable[None]]] = {
    "status": _status,
    "history": _history,
    "undo": _undo,
    "restart": _restart,
    "pause": _pause,
    "resume": _resume,
}
