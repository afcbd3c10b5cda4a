"""What the machine itself allows: `python -m benchmarks.apiserver.limit [CONNECTIONS] [BYTES PER EVENT]`.

One process writes the same events to many TLS connections with bare sockets, another one reads and forgets them; no
HTTP, no JSON, no event loop. No server with TLS can send events to that many clients on the same cores much faster.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.apiserver.connection import insecure_tls

from pybernetes.cluster.pki import Pki, apiserver
from pybernetes.environment.clock import SystemClock

_EVENTS = 300
_BATCH = 32
_BUFFER_BYTES = 256 * 1024
_WRITABLE, _READABLE = select.EPOLLOUT, select.EPOLLIN


def _each(sockets: list[ssl.SSLSocket], ready: int, size: int, move: Callable[[ssl.SSLSocket], int]) -> None:
    """Moves `size` bytes through every socket, whichever is ready."""
    poll = select.epoll()
    left = {each.fileno(): size for each in sockets}
    by_number = {each.fileno(): each for each in sockets}
    for each in sockets:
        each.setblocking(False)
        poll.register(each.fileno(), ready)
    while left:
        for number, _ in poll.poll():
            try:
                while left.get(number, 0) > 0:
                    left[number] -= move(by_number[number])
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            poll.unregister(number)
            left.pop(number, None)


def _read(port: int, connections: int, size: int) -> None:
    tls, buffer = insecure_tls(), bytearray(_BUFFER_BYTES)
    sockets = [tls.wrap_socket(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
    sockets[-1].send(b"go")
    _each(sockets, _READABLE, size, lambda each: each.recv_into(buffer))


def events_per_second(connections: int, event_bytes: int) -> float:
    """Events of that many bytes, in batches as large as the fan-out's, to that many connections."""
    with tempfile.TemporaryDirectory(prefix="pyb-bench-") as folder:
        pair = Pki(Path(folder), SystemClock()).certificate("limit", apiserver("127.0.0.1", []))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pair.certificate, pair.key)
    batch = os.urandom(event_bytes * _BATCH)
    # What is left of a batch is written again from its start: nobody reads what it says.
    size = event_bytes * _EVENTS
    with socket.create_server(("127.0.0.1", 0), backlog=connections) as listener:
        reader = os.fork()
        if not reader:
            _read(listener.getsockname()[1], connections, size)
            os._exit(0)
        sockets = [tls.wrap_socket(listener.accept()[0], server_side=True) for _ in range(connections)]
        sockets[-1].recv(2)
        began = time.monotonic()
        _each(sockets, _WRITABLE, size, lambda each: each.send(batch))
        os.waitpid(reader, 0)
        return connections * _EVENTS / (time.monotonic() - began)


if __name__ == "__main__":
    connections, event_bytes = (int(text) for text in (sys.argv[1:] + ["500", "5000"][len(sys.argv) - 1 :])[:2])
    best = max(events_per_second(connections, event_bytes) for _ in range(3))
    print(f"{best:,.0f} events of {event_bytes:,} bytes per second to {connections} TLS connections")
