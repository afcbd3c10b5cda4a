"""`kubectl exec` and `attach`: a command in a container, or its main process, on the user's own terminal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from pybernetes.api.types.meta_v1 import Status
from pybernetes.kubectl import selection, terminal, workloads
from pybernetes.kubectl.failures import CommandError, error, usage
from pybernetes.kubectl.remote import Command, Ends, RemoteCommand, start
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch
from pybernetes.streaming.remote_command import CommandStreams, exit_code

VERB_FIRST = True
FLAGS = (
    Flag("container", "c"),
    Flag("pod-running-timeout", default="1m"),
    switch("stdin", "i"),
    switch("tty", "t"),
    switch("quiet", "q"),
)


async def run(session: Session, words: Words) -> int:
    """The command's own exit code."""
    verb, *arguments = words.arguments
    if len(arguments) > 1 and verb == "exec":
        raise error("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead")
    if not arguments:
        raise usage("pod, type/name or --filename must be specified", verb)
    if verb == "exec" and not words.rest:
        raise usage("you must specify at least one command for the container", verb)
    pod = await workloads.one_pod(session, await selection.workload(session, arguments[0]))
    if verb == "exec" and (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        raise error(f"cannot exec into a container in a completed pod; current phase is {pod['status']['phase']}")
    container, note = workloads.container_of(pod, words.text("container"))
    if note and not words.on("quiet"):
        session.warn(note)
    streams = wanted_streams(words, _typed(session) is not None)
    if words.on("tty") and not streams.tty:
        session.warn("Unable to use a TTY - input is not a terminal or the right kind of file")
    command = Command(pod["metadata"]["name"], container, words.rest or (), streams)
    remote = await start(session, command)
    if verb == "attach" and streams.tty and not words.on("quiet"):
        session.warn("If you don't see a command prompt, try pressing enter.")
    return concluded(await _carry(session, remote, streams))


def wanted_streams(words: Words, has_terminal: bool) -> CommandStreams:
    """A terminal is used only where there is one, and takes the place of standard error."""
    tty = words.on("tty") and words.on("stdin") and has_terminal
    return CommandStreams(stdin=words.on("stdin"), stdout=True, stderr=not tty, tty=tty)


def _typed(session: Session) -> int | None:
    """The descriptor of the user's keyboard; None when stdin is something else."""
    descriptor = _descriptor(session)
    return descriptor if descriptor is not None and terminal.is_terminal(descriptor) else None


def _descriptor(session: Session) -> int | None:
    try:
        return session.stdin.fileno()
    except (OSError, ValueError):
        return None


async def _one_chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _input(session: Session) -> AsyncIterator[bytes]:
    descriptor = _descriptor(session)
    if descriptor is None:
        return _one_chunk(session.stdin.read().encode())
    return terminal.chunks(descriptor)


async def _carry(session: Session, remote: RemoteCommand, streams: CommandStreams) -> Status:
    ends = Ends(
        _input(session) if streams.stdin else None,
        session.write_bytes,
        session.write_error_bytes,
    )
    with contextlib.ExitStack() as stack:
        keyboard = _typed(session)
        if streams.tty and keyboard is not None:
            stack.enter_context(terminal.raw_mode(keyboard))
            stack.enter_context(terminal.size_changes(keyboard, remote.resize))
        return await remote.run(ends)


def concluded(status: Status) -> int:
    """0, or the failure in kubectl's words with the command's exit code."""
    code = exit_code(status)
    if code is None:
        raise error(status.message or "the command failed")
    if code:
        raise CommandError(f"command terminated with exit code {code}", code)
    return 0
