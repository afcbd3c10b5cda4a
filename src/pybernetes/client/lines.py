"""Chunks of a stream into lines; a watch has one JSON document a line. `Client.watch` feeds it."""

from __future__ import annotations


class LineSplitter:
    """Keeps the unfinished end of a chunk until its rest comes."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without newlines and blank ones."""
        head, *tail = chunk.split(b"\n")
        self._rest.append(head)
        if not tail:
            return []
        finished = [b"".join(self._rest), *tail[:-1]]
        self._rest = [tail[-1]]
        return [line for line in finished if line]
