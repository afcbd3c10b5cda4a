"""`pyb apiserver` and the rest of a cluster as processes of their own, and the kubeconfig that leads to them."""

from __future__ import annotations

import base64
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

TOKEN = "clients-token"
_PATIENCE = 60.0  # seconds until a process that does not say that it serves is given up


@dataclass(frozen=True)
class Place:
    """How a client reaches the server, as an administrator."""

    url: str
    token: str
    authority: Path
    kubeconfig: Path


@contextmanager
def running_cluster(folder: Path) -> Iterator[Place]:
    """An API server on a free port, controllers, a scheduler and simulated nodes; logs and data below `folder`."""
    tokens = folder / "tokens.csv"
    tokens.write_text(f'{TOKEN},clients,clients-uid,"system:masters"\n')
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port = listener.getsockname()[1]
        flags = ["--data-dir", str(folder), "--secure-port", str(port), "--token-auth-file", str(tokens)]
        place = Place(f"https://127.0.0.1:{port}", TOKEN, folder / "pki" / "ca.crt", folder / "admin.kubeconfig")
        api = ["-m", "pybernetes.cli.main", "apiserver", *flags]
        with _process(folder, "apiserver", api, listener):
            listener.close()
            place.kubeconfig.write_text(yaml.safe_dump(_kubeconfig(place)))
            with _process(folder, "rest", ["-m", "tests.clients.simulated_rest", str(place.kubeconfig)]):
                yield place


@contextmanager
def _process(
    folder: Path, name: str, words: Sequence[str], listener: socket.socket | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that is ready while the context is open, and has ended by SIGTERM after it."""
    inherited = () if listener is None else (listener.fileno(),)
    notify = folder / f"{name}.notify"
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "NOTIFY_SOCKET": str(notify), "PYTHONPATH": path}
    environment["PYB_LISTEN_FDS"] = ",".join(map(str, inherited))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as readiness, (folder / f"{name}.log").open("wb") as log:
        readiness.bind(str(notify))
        process = subprocess.Popen(
            [sys.executable, *words], pass_fds=inherited, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_ready(readiness, process, folder / f"{name}.log")
            yield process
        finally:
            process.terminate()
            process.wait()


def _wait_ready(readiness: socket.socket, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns at READY=1; AssertionError with the log's end when the process ends or takes too long."""
    ended = os.pidfd_open(process.pid)
    try:
        while True:
            seen, _, _ = select.select([readiness, ended], [], [], _PATIENCE)
            if readiness not in seen:
                raise AssertionError(f"{log.stem} did not start:\n{log.read_text()[-2000:]}")
            if b"READY=1" in readiness.recv(4096):
                return
    finally:
        os.close(ended)


def _kubeconfig(place: Place) -> dict[str, object]:
    authority = base64.b64encode(place.authority.read_bytes()).decode()
    cluster = {"server": place.url, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "pyb", "cluster": cluster}],
        "users": [{"name": "clients", "user": {"token": place.token}}],
        "contexts": [{"name": "pyb", "context": {"cluster": "pyb", "user": "clients", "namespace": "default"}}],
        "current-context": "pyb",
    }
