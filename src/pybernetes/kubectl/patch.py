"""`kubectl patch`: sends a patch as it was written, in JSON or YAML."""

from __future__ import annotations

import json
from pathlib import Path

from pybernetes.api import yaml
from pybernetes.client import PatchType
from pybernetes.kubectl import output, selection
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words

FLAGS = (
    *FILES,
    *output.FLAGS,
    Flag("patch", "p"),
    Flag("patch-file"),
    Flag("type", default="strategic"),
    Flag("subresource"),
    Flag("field-manager", default="kubectl-patch"),
    Flag("dry-run", default="none", bare="unchanged"),
)
_TYPES = {"json": PatchType.JSON, "merge": PatchType.MERGE, "strategic": PatchType.STRATEGIC}


async def run(session: Session, words: Words) -> int:
    """0 when every object is patched, also when that changed nothing."""
    if words.text("type") not in _TYPES:
        raise error(f"--type must be one of [json merge strategic], not {words.text('type')!r}")
    body = _body(words)
    targets = await manifest_targets(session, words) or await selection.named(session, words.arguments, "patch")
    query = [("fieldManager", words.text("field-manager"))]
    if words.text("dry-run") == "server":
        query.append(("dryRun", "All"))
    for target in targets:
        path = target.resource.path(session.namespace_of(target.resource), target.name, words.text("subresource"))
        before = await session.request("GET", path)
        after = await session.request("PATCH", path, query, body, {"content-type": _TYPES[words.text("type")]})
        if words.text("output"):
            session.out.write(output.printer(words)(after))
            continue
        unchanged = output.without_managed_fields(before) == output.without_managed_fields(after)
        note = dry_run_note(words) + (" (no change)" if unchanged else "")
        session.print(f"{target.resource.label}/{target.name} patched{note}")
    return 0


def _body(words: Words) -> bytes:
    text = Path(words.text("patch-file")).read_text() if words.given("patch-file") else words.text("patch")
    if not text:
        raise error("must specify --patch or --patch-file containing the contents of the patch")
    try:
        json.loads(text)
    except ValueError:
        if text.lstrip().startswith(("{", "[")):
            return text.encode()
        try:
            return json.dumps(yaml.load(text)).encode()
        except yaml.YamlError as why:
            raise error(f"unable to parse {text!r}: {why}") from None
    return text.encode()
