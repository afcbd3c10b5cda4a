"""`kubectl logs`: what containers have printed; with `-f` what they go on to print."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from pybernetes.api.status import StatusError
from pybernetes.client import Unreachable
from pybernetes.client.lines import LineSplitter
from pybernetes.kubectl import selection, watching, workloads
from pybernetes.kubectl.failures import CommandError, error, explained, several, usage
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    Flag("container", "c"),
    Flag("selector", "l"),
    Flag("tail", default="-1"),
    Flag("since", default="0"),
    Flag("since-time"),
    Flag("limit-bytes", default="0"),
    Flag("max-log-requests", default="5"),
    Flag("pod-running-timeout", default="20s"),
    switch("follow", "f"),
    switch("previous", "p"),
    switch("timestamps"),
    switch("all-containers"),
    switch("all-pods"),
    switch("prefix"),
    switch("ignore-errors"),
    switch("insecure-skip-tls-verify-backend"),
)


_EXPECTED = (
    "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n"
    "POD or TYPE/NAME is a required argument for the logs command"
)


@dataclass(frozen=True)
class Source:
    """One container's log."""

    pod: str
    container: str


async def run(session: Session, words: Words) -> int:
    """0 when every log was read to its end."""
    sources = await _sources(session, words)
    if words.on("follow") and len(sources) > words.number("max-log-requests"):
        most = words.number("max-log-requests")
        raise error(
            f"you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is {most}, "
            "use --max-log-requests to increase the limit"
        )
    failures: list[CommandError] = []
    if not words.on("follow"):
        for source in sources:
            await _read(session, words, source, failures)
    else:
        async with asyncio.TaskGroup() as tasks:
            for source in sources:
                tasks.create_task(_read(session, words, source, failures))
    if failures:
        raise several(failures)
    return 0


async def _sources(session: Session, words: Words) -> list[Source]:
    arguments = list(words.arguments)
    if words.text("selector"):
        if arguments:
            raise error("only a selector (-l) or a POD name is allowed")
        query = watching.selecting(labels=words.text("selector"))
        listed = await session.request("GET", f"/api/v1/namespaces/{session.namespace}/pods", query)
        pods = listed.get("items") or []
        if not pods:
            session.warn(f"No resources found in {session.namespace} namespace.")
        return [source for pod in pods for source in containers(pod, words, session)]
    if not arguments or len(arguments) > 2:
        raise usage(_EXPECTED, "logs")
    target = await selection.workload(session, arguments[0])
    try:
        pods = await workloads.pods_of(session, target) if words.on("all-pods") else []
        pods = pods or [await workloads.one_pod(session, target)]
    except StatusError as failure:
        if failure.code == 404:
            raise error(f'error from server (NotFound): {failure} in namespace "{session.namespace}"') from failure
        raise
    wanted = arguments[1] if len(arguments) == 2 else ""
    return [source for pod in pods for source in containers(pod, words, session, wanted)]


def containers(pod: Mapping[str, Any], words: Words, session: Session, wanted: str = "") -> list[Source]:
    """The containers of a pod whose logs are asked for."""
    name = pod["metadata"]["name"]
    if words.on("all-containers"):
        spec = pod["spec"]
        fields = ("initContainers", "containers", "ephemeralContainers")
        return [Source(name, item["name"]) for field in fields for item in spec.get(field) or ()]
    container, note = workloads.container_of(pod, wanted or words.text("container"))
    if note:
        session.warn(note)
    return [Source(name, container)]


def query(words: Words, container: str) -> list[tuple[str, str]]:
    """The query of one log."""
    pairs = [("container", container)]
    pairs += [(name, "true") for name in ("follow", "previous", "timestamps") if words.on(name)]
    tail = words.number("tail")
    if tail < 0 and words.text("selector") and not words.given("tail"):
        tail = 10
    if tail >= 0:
        pairs.append(("tailLines", str(tail)))
    if seconds := words.seconds("since"):
        pairs.append(("sinceSeconds", str(max(1, round(seconds)))))
    if words.text("since-time"):
        pairs.append(("sinceTime", words.text("since-time")))
    if words.number("limit-bytes") > 0:
        pairs.append(("limitBytes", words.text("limit-bytes")))
    return pairs


async def _read(session: Session, words: Words, source: Source, failures: list[CommandError]) -> None:
    """One log; what goes wrong is noted, so that the others go on."""
    try:
        await _copy(session, words, source)
    except (StatusError, Unreachable) as failure:
        if words.on("ignore-errors"):
            session.warn(f"error: {failure}")
        else:
            failures.append(explained(failure))


async def _copy(session: Session, words: Words, source: Source) -> None:
    path = f"/api/v1/namespaces/{session.namespace}/pods/{source.pod}/log"
    response = await session.send("GET", path, query(words, source.container), headers={"accept": "*/*"})
    prefix = f"[pod/{source.pod}/{source.container}] ".encode() if words.on("prefix") else b""
    if response.stream is None:
        _write(session, response.body.splitlines(keepends=True), prefix)
        return
    lines = LineSplitter()
    async with aclosing(cast(Any, response.stream)) as stream:
        async for chunk in stream:
            # Without a prefix bytes go out as they come; with one, by lines.
            _write(session, [line + b"\n" for line in lines.feed(chunk)] if prefix else [chunk], prefix)


def _write(session: Session, lines: Iterable[bytes], prefix: bytes) -> None:
    data: Sequence[bytes] = [prefix + line for line in lines]
    if data:
        session.write_bytes(b"".join(data))
