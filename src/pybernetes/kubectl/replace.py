"""`kubectl replace`: puts the objects of files in the place of those that are there."""

from __future__ import annotations

from pybernetes.api.status import StatusError
from pybernetes.kubectl import output
from pybernetes.kubectl.apply import dry_run_note, write_query
from pybernetes.kubectl.failures import CommandError, error, explained, several, with_context
from pybernetes.kubectl.manifests import FILES, read
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words

FLAGS = (
    *FILES,
    *output.FLAGS,
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("validate", default="strict", bare="strict"),
    Flag("field-manager", default="kubectl-replace"),
)


async def run(session: Session, words: Words) -> int:
    """0 when everything was replaced."""
    if not words.given("filename"):
        raise error("must specify one of -f and -k")
    failures: list[CommandError] = []
    for manifest in await read(session, words):
        path, query = manifest.resource.path(*manifest.where), write_query(words, words.text("field-manager"))
        try:
            await session.request("PUT", path, query, manifest.value)
        except StatusError as failure:
            failures.append(explained(with_context("replacing", manifest.source, failure)))
            continue
        session.print(f"{manifest.shown} replaced{dry_run_note(words)}")
    if failures:
        raise several(failures)
    return 0
