"""How much all clients together may leave unread of long answers: beyond that, whoever asks for one is told to wait.

`answers` asks before it begins to write a long body, and says when it has been written. One that several clients get
is held once, and counts once.
"""

from __future__ import annotations

_BYTES_MAX = 512 * 1024 * 1024


class UnsentBodies:
    """The long bodies that are being written, and for how many clients each."""

    def __init__(self, bytes_max: int = _BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        # By identity; whoever writes a body keeps it alive.
        self._clients: dict[int, int] = {}

    def begin(self, body: bytes) -> bool:
        """Whether the body may be written; if so, `end` must follow."""
        clients = self._clients.get(id(body), 0)
        if not clients:
            if self._bytes and self._bytes + len(body) > self._bytes_max:
                return False
            self._bytes += len(body)
        self._clients[id(body)] = clients + 1
        return True

    def end(self, body: bytes) -> None:
        """The body has been written, or will not be."""
        self._clients[id(body)] -= 1
        if not self._clients[id(body)]:
            del self._clients[id(body)]
            self._bytes -= len(body)
