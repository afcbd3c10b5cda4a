"""Network namespaces: sockets created inside one, commands run inside one.

A socket keeps the namespace in which it was created, so a process of the host reaches into a cluster by creating its
sockets there: `in_namespace` changes the calling thread only, and only between two statements with no `await` between.
Called by `cluster` (publishing ports, readiness) and by whoever starts processes for a node.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def namespace_path(name: str) -> Path:
    """Where `ip netns` keeps the namespace of that name."""
    return NAMESPACES / name


def exists(name: str) -> bool:
    return namespace_path(name).exists()


def enter(fd: int) -> None:
    """Puts the calling thread into the network namespace that `fd` refers to. Raises OSError."""
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def in_namespace(name: str | None) -> Iterator[None]:
    """The calling thread is in the namespace for the length of the block, which must not await. None: no change.

    Raises FileNotFoundError when there is no such namespace.
    """
    if name is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(namespace_path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            enter(home)
    finally:
        os.close(home)


def socket_in(
    namespace: str | None, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0
) -> socket.socket:
    """A new socket that lives in the namespace."""
    with in_namespace(namespace):
        return socket.socket(family, kind, protocol)


def listen_in(namespace: str | None, address: str, port: int, backlog: int = 512) -> socket.socket:
    """A listening TCP socket in the namespace, not blocking. Raises OSError (EADDRINUSE when the port is taken)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket_in(namespace, family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


async def open_connection_in(
    namespace: str | None, host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TCP connection from inside the namespace to `host` (an address, not a name). Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket_in(namespace, family)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, (host, port))
        return await asyncio.open_connection(sock=connection)
    except BaseException:
        connection.close()
        raise


def command_in(namespace: str | None, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` in the namespace under the same pid, leaving /sys and its cgroups as they are."""
    if namespace is None:
        return list(argv)
    return ["nsenter", f"--net={namespace_path(namespace)}", "--", *argv]


def namespace_inode(name: str) -> int | None:
    """What tells the namespace from others: the inode that /proc/<pid>/ns/net of its processes shows."""
    try:
        return namespace_path(name).stat().st_ino
    except OSError:
        return None
