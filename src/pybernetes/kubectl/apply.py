"""`kubectl apply`: makes objects what their files say, three ways (last manifest, this one, live) or on the server.

For each manifest: GET, then POST what is missing or PATCH the difference; prints `created`, `configured`, `unchanged`.
"""

from __future__ import annotations

import json
from typing import Any

from pybernetes.api.status import StatusError
from pybernetes.client import PatchType
from pybernetes.kubectl import output, printing, selection
from pybernetes.kubectl.failures import CommandError, error, explained, several, with_context
from pybernetes.kubectl.manifests import FILES, Manifest, read
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.three_way import three_way
from pybernetes.kubectl.words import Flag, Words, switch

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT_SIDE = "kubectl-client-side-apply"
FLAGS = (
    *FILES,
    *output.FLAGS,
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("validate", default="strict", bare="strict"),
    Flag("field-manager", default=CLIENT_SIDE),
    Flag("selector", "l"),
    switch("server-side"),
    switch("force-conflicts"),
    switch("overwrite", default="true"),
    switch("force"),
    switch("prune"),
    switch("wait"),
    Flag("timeout", default="0"),
    Flag("grace-period", default="-1"),
)
_MISSING = (
    "Warning: resource {plural}/{name} is missing the kubectl.kubernetes.io/last-applied-configuration annotation "
    "which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by "
    "either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically."
)
_CONFLICT_ADVICE = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


async def run(session: Session, words: Words) -> int:
    """0 when every object is as its file says; the others are done all the same."""
    if words.arguments[:1] == ("view-last-applied",):
        return await _view_last_applied(session, words)
    if words.arguments:
        raise error(f"Unexpected args: [{' '.join(words.arguments)}]\nSee 'kubectl apply -h' for help and examples")
    if not words.given("filename") and not words.given("kustomize"):
        raise error("must specify one of -f and -k")
    manifests = await read(session, words)
    if not manifests:
        raise error("no objects passed to apply")
    failures: list[CommandError] = []
    for manifest in manifests:
        try:
            await _apply(session, words, manifest)
        except StatusError as failure:
            failures.append(explained(failure))
        except CommandError as failure:
            failures.append(failure)
    if failures:
        raise several(failures)
    return 0


async def _apply(session: Session, words: Words, manifest: Manifest) -> None:
    if manifest.value["metadata"].get("generateName") and not manifest.name:
        raise error(f"from {manifest.value['metadata']['generateName']}: cannot use generate name with apply")
    if words.on("server-side"):
        verdict, result = await _on_server(session, words, manifest)
    else:
        verdict, result = await _on_client(session, words, manifest)
    if manifest.resource.kind == "CustomResourceDefinition":
        session.forget_catalog()
    if words.text("output"):
        session.out.write(output.printer(words)(result))
    else:
        session.print(f"{manifest.shown} {verdict}{dry_run_note(words)}")


def dry_run_note(words: Words) -> str:
    """What is put behind a line when nothing was really done."""
    return {"server": " (server dry run)", "client": " (dry run)"}.get(words.text("dry-run"), "")


def write_query(words: Words, manager: str) -> list[tuple[str, str]]:
    """The query of a write: who, how strictly, and whether only to try."""
    query = [("fieldManager", manager)]
    level = {"true": "Strict", "strict": "Strict", "warn": "Warn"}.get(words.text("validate").lower(), "Ignore")
    query.append(("fieldValidation", level))
    return [*query, ("dryRun", "All")] if words.text("dry-run") == "server" else query


def annotated(value: dict[str, Any]) -> dict[str, Any]:
    """The manifest with itself, as text, in the annotation that the next apply reads."""
    metadata = value["metadata"]
    annotations = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    bare = {**value, "metadata": {**metadata, "annotations": annotations}}
    text = printing.html_escaped(json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)) + "\n"
    return {**value, "metadata": {**metadata, "annotations": {**annotations, LAST_APPLIED: text}}}


def last_applied(live: dict[str, Any]) -> dict[str, Any]:
    """The manifest that the live object was last applied from; empty when it was not."""
    text = (live.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED, "")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _on_client(session: Session, words: Words, manifest: Manifest) -> tuple[str, dict[str, Any]]:
    resource, wanted = manifest.resource, annotated(manifest.value)
    live = await _live(session, manifest)
    if live is None:
        return "created", await _create(session, words, manifest, wanted)
    if LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
        session.warn(_MISSING.format(plural=resource.plural, name=manifest.name))
    patch = three_way(last_applied(live), wanted, live, resource.definition)
    if not patch:
        return "unchanged", live
    if words.text("dry-run") == "client":
        return "configured", live
    media = PatchType.STRATEGIC if resource.definition else PatchType.MERGE
    query = write_query(words, words.text("field-manager"))
    try:
        result = await session.patch(resource, manifest.where, patch, media, query)
    except StatusError as failure:
        raise _patch_failure(manifest, patch, failure) from failure
    if result["metadata"].get("deletionTimestamp"):
        session.warn(f"Warning: Detected changes to resource {manifest.name} which is currently being deleted.")
    return "configured", result


async def _live(session: Session, manifest: Manifest) -> dict[str, Any] | None:
    try:
        live: dict[str, Any] = await session.request("GET", manifest.resource.path(*manifest.where))
    except StatusError as failure:
        if failure.code == 404 and failure.reason == "NotFound":
            return None
        raise
    return live


async def _create(session: Session, words: Words, manifest: Manifest, wanted: dict[str, Any]) -> dict[str, Any]:
    if words.text("dry-run") == "client":
        return wanted
    path, query = manifest.resource.path(manifest.namespace), write_query(words, words.text("field-manager"))
    try:
        created: dict[str, Any] = await session.request("POST", path, query, wanted)
    except StatusError as failure:
        raise with_context("creating", manifest.source, failure) from failure
    return created


def _patch_failure(manifest: Manifest, patch: dict[str, Any], failure: StatusError) -> StatusError:
    resource = manifest.resource
    inner = with_context("patching", manifest.source, failure)
    text = json.dumps(patch, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    version = f"{resource.group}/{resource.version}"
    inner.status.message = (
        f'error when applying patch:\n{text}\nto:\nResource: "{version}, Resource={resource.plural}", '
        f'GroupVersionKind: "{version}, Kind={resource.kind}"\nName: "{manifest.name}", '
        f'Namespace: "{manifest.namespace}"\nfor: "{manifest.source}": {inner.status.message}'
    )
    return inner


async def _on_server(session: Session, words: Words, manifest: Manifest) -> tuple[str, dict[str, Any]]:
    manager = words.text("field-manager") if words.given("field-manager") else "kubectl"
    query = [*write_query(words, manager), ("force", "true" if words.on("force-conflicts") else "false")]
    try:
        result = await session.patch(manifest.resource, manifest.where, manifest.value, PatchType.APPLY, query)
    except StatusError as failure:
        if failure.reason == "Conflict":
            raise error(f"{failure.status.message}{_CONFLICT_ADVICE}") from failure
        raise
    annotations = result["metadata"].get("annotations") or {}
    if LAST_APPLIED in annotations and not words.given("field-manager") and words.text("dry-run") == "none":
        await _keep_annotation(session, manifest)
    return "serverside-applied", result


async def _keep_annotation(session: Session, manifest: Manifest) -> None:
    """Who goes on with client-side apply later must find what was applied on the server."""
    text = annotated(manifest.value)["metadata"]["annotations"][LAST_APPLIED]
    metadata = {"name": manifest.name, "namespace": manifest.namespace, "annotations": {LAST_APPLIED: text}}
    body = {"apiVersion": manifest.value["apiVersion"], "kind": manifest.value["kind"], "metadata": metadata}
    query = [("fieldManager", "kubectl-last-applied"), ("force", "true")]
    await session.patch(manifest.resource, manifest.where, body, PatchType.APPLY, query)


async def _view_last_applied(session: Session, words: Words) -> int:

    for target in await selection.named(session, words.arguments[1:], "view"):
        live = await session.request("GET", target.resource.path(session.namespace_of(target.resource), target.name))
        applied = last_applied(live)
        if not applied:
            raise error(f"no last-applied-configuration annotation found on resource: {target.name}")
        if not applied["metadata"].get("annotations"):
            applied["metadata"].pop("annotations", None)
        session.out.write(printing.as_json(applied) if words.text("output") == "json" else printing.as_yaml(applied))
    return 0
