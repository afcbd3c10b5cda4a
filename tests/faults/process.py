"""`pyb apiserver` as a process of its own on a socket that outlives it, so that it can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from tests.faults.disk import Disk

TOKEN = "faults-token"
_PATIENCE = 60.0  # seconds until a process that does not say that it serves is given up
_ROOT = Path(__file__).parents[2]

Answer = tuple[int, dict[str, str], bytes]


class ApiServerProcess:
    """A server with all its files below `folder`.

    `limits` are prlimit's flags, such as `--fsize=1000000`, `flags` further ones of the server, `disk` what its fsyncs
    depend on.
    """

    def __init__(
        self, folder: Path, limits: Sequence[str] = (), flags: Sequence[str] = (), disk: Disk | None = None
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.limits = limits
        self.flags = flags
        self.disk = disk
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.process: asyncio.subprocess.Process
        (folder / "tokens.csv").write_text(f'{TOKEN},faults,faults-uid,"system:masters"\n')
        self._tls: ssl.SSLContext | None = None
        self._connections: list[Connection] = []

    async def start(self) -> None:
        """Returns when it serves."""
        notify = self.folder / "notify"
        notify.unlink(missing_ok=True)
        environment = {**os.environ, "NOTIFY_SOCKET": str(notify), "PYB_LISTEN_FDS": str(self.listener.fileno())}
        words = [sys.executable, "-m", "pybernetes.cli.main", "apiserver", "--data-dir", str(self.data)]
        words += ["--secure-port", str(self.port), "--token-auth-file", str(self.folder / "tokens.csv"), *self.flags]
        if self.limits:
            words = ["prlimit", *self.limits, *words]
        inherited = [self.listener.fileno()]
        if self.disk is not None:
            words, theirs, ours = self.disk.command(words)
            inherited.append(theirs.fileno())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as readiness, (self.folder / "log").open("ab") as log:
            readiness.bind(str(notify))
            readiness.setblocking(False)
            self.process = await asyncio.create_subprocess_exec(
                *words, pass_fds=inherited, env=environment, stdout=log, stderr=log, cwd=_ROOT
            )
            if self.disk is not None:
                theirs.close()
                await self.disk.attend(ours)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(_PATIENCE):
                while b"READY=1" not in await loop.sock_recv(readiness, 4096):
                    continue

    async def kill(self) -> None:
        """The way a power cut ends it."""
        self.process.kill()
        await self.process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self.disk is not None:
            self.disk.recover()
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()
        self.listener.close()
        for connection in self._connections:
            connection.close()
        if self.disk is not None:
            self.disk.leave()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def memory(self) -> int:
        """Bytes of memory that it uses."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    async def connect(self) -> Connection:
        """A connection over TLS; it is closed with the server at the latest."""
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=str(self.data / "pki" / "ca.crt"))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self._tls, limit=2**24)
        connection = Connection(reader, writer)
        self._connections.append(connection)
        return connection

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request over a connection of its own: status and parsed body."""
        connection = await self.connect()
        try:
            status, _headers, content = await connection.call(method, path, body)
        finally:
            connection.close()
        return status, msgspec.json.decode(content)


class Connection:
    """One HTTP connection whose bytes the test writes itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def close(self) -> None:
        self.writer.transport.abort()

    def request(self, method: str, path: str, body: Any = None) -> None:
        """Sends a request without waiting for its answer."""
        content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        self.writer.write(head(method, path, f"content-length: {len(content)}") + content)

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        self.request(method, path, body)
        return await self.answer(has_body=method != "HEAD")

    async def answer(self, has_body: bool = True) -> Answer:
        """The next answer with its whole body; ConnectionError when the server closes instead."""
        status, headers = await self.answer_head()
        if not has_body:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            chunks = [chunk async for chunk in self.chunks()]
            return status, headers, b"".join(chunks)
        return status, headers, await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def answer_head(self) -> tuple[int, dict[str, str]]:
        try:
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(error.partial) from None
        first, *lines = text.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers

    async def chunks(self) -> Any:
        """The chunks of the body; ends where the server or the connection ends it."""
        try:
            while size := int(await self.reader.readline() or b"0", 16):
                yield (await self.reader.readexactly(size + 2))[:-2]
        except asyncio.IncompleteReadError:
            return

    async def ended(self) -> bytes:
        """What the server still says until it closes the connection."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


async def health(server: ApiServerProcess, path: str) -> int:
    """The status of a health endpoint."""
    connection = await server.connect()
    status, _, _ = await connection.call("GET", path)
    connection.close()
    return status


def head(method: str, path: str, *lines: str) -> bytes:
    """The head of a request as the administrator."""
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "host: a", f"authorization: Bearer {TOKEN}", *lines, "", ""]
    ).encode()
