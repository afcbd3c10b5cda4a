"""A fresh `pyb apiserver` with a folder of its own: started, timed, weighed and ended. Called by `__main__`."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import time
from pathlib import Path

from benchmarks.apiserver.connection import Connection

from pybernetes.environment.process import Readiness

ADMIN = "admin-token"
USER = "bench-token"
# The first token is a master's, to set things up; the second one's rights come from a ClusterRoleBinding.
_READY_WITHIN_SECONDS = 10.0
_TOKENS = f'{ADMIN},admin,1,"system:masters"\n{USER},bench,2,"benchmarkers"\n'


class Served:
    """One server process. `folder` survives a restart; `fresh` forgets the store but not the keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._tokens = folder / "tokens.csv"
        self._tokens.write_text(_TOKENS)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> float:
        """Seconds from the start of the process until /readyz says ok."""
        readiness = Readiness(self.folder / "notify")
        began = time.perf_counter()
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pybernetes.cli.main", "apiserver", "--data-dir", str(self.folder / "data")),
                *("--secure-port", str(self.port), "--token-auth-file", str(self._tokens)),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(readiness.path)},
            )  # fmt: skip
        try:
            async with asyncio.timeout(60):
                await readiness.wait()
        finally:
            readiness.close()
        connection = await Connection.open(self.port, ADMIN)
        try:
            async with asyncio.timeout(_READY_WITHIN_SECONDS):
                while (await connection.request("GET", "/readyz"))[0] != 200:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.005)
        except TimeoutError:
            _status, body = await connection.request("GET", "/readyz?verbose")
            raise RuntimeError(f"the server does not become ready: {body.decode()}") from None
        finally:
            connection.close()
        return time.perf_counter() - began

    def megabytes(self) -> float:
        """The resident memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(15):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def forget_objects(self) -> None:
        """Removes the store of a stopped server."""
        for path in (self.folder / "data").glob("store.db*"):
            path.unlink()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
