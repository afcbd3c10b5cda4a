"""The conversation with a running cluster's supervisor: one JSON line there, JSON lines back, on a Unix socket.

Questions: `status`, `node_stop`, `node_start`. The last line of an answer has `done` or `error`; lines before it have
`say`. `ask` is called by `local`, `serve` by the supervisor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from pybernetes.cluster.state import ClusterError
from pybernetes.environment.process import CommandFailed

_log = logging.getLogger(__name__)
Say = Callable[[str], None]
Handler = Callable[[dict[str, Any], Say], Awaitable[Any]]


async def ask(path: Path, question: dict[str, Any], say: Say) -> Any:
    """Puts a question and gives the answer. ClusterError: it says no; ConnectionError: nobody listens."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise ConnectionError(f"no cluster answers at {path}") from error
    try:
        writer.write(msgspec.json.encode(question) + b"\n")
        while line := await reader.readline():
            answer = msgspec.json.decode(line)
            if "error" in answer:
                raise ClusterError(answer["error"])
            if "done" in answer:
                return answer["done"]
            say(answer["say"])
    finally:
        writer.close()
    raise ConnectionError("the cluster's supervisor ended while it was answering")


async def serve(path: Path, handle: Handler) -> asyncio.Server:
    """Answers questions, any number at once."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def tell(value: dict[str, Any]) -> None:
            writer.write(msgspec.json.encode(value) + b"\n")

        try:
            question = msgspec.json.decode(await reader.readline())
            tell({"done": await handle(question, lambda text: tell({"say": text}))})
        except (ClusterError, CommandFailed, msgspec.DecodeError, OSError) as error:
            _log.error("cannot answer: %s", error)
            tell({"error": str(error)})
        writer.close()

    path.unlink(missing_ok=True)
    return await asyncio.start_unix_server(answer, str(path))
