"""The kubelet's own HTTPS server (port 10250): health, pods, container logs, exec, attach, port-forward.

The API server calls it with a client certificate; nobody else may. Answers are values of `api.wire` or tunnels.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from pybernetes.api.types.core_v1 import PodList
from pybernetes.api.wire import Request, Response
from pybernetes.kubelet import streams
from pybernetes.kubelet.decide.observed import all_containers, is_running
from pybernetes.kubelet.decide.times import SECOND, nanoseconds, parse_time
from pybernetes.kubelet.http_server import Answer, HttpServer, Tunnel, tls_context
from pybernetes.kubelet.kubelet import Kubelet
from pybernetes.kubelet.logs import LogOptions, read_log
from pybernetes.kubelet.runtime import ContainerRecord, NotFound, RuntimeFailure, Streams
from pybernetes.kubelet.worker import PodWorker

log = logging.getLogger(__name__)

_PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class KubeletServer:
    """Serves one kubelet."""

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self._options = kubelet.kit.options
        files = self._options.server
        self._http = HttpServer(self.handle, tls_context(files) if files else None)
        self.port = 0

    async def run(self) -> None:
        """Listens until cancelled. OSError when the port is taken."""
        self.port = await self._http.listen(self._options.listen_address, self._options.port)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self._http.close()

    async def handle(self, request: Request) -> Answer:
        """One request."""
        parts = request.path.strip("/").split("/")
        try:
            self._admit(request)
            serve = self._routes().get(parts[0])
            if serve is None:
                raise Refused(404, "404 page not found")
            return await serve(request, parts[1:])
        except Refused as refused:
            return _text(refused.status, str(refused))
        except NotFound as error:
            return _text(404, str(error))
        except (RuntimeFailure, OSError) as error:
            log.warning("%s %s: %s", request.method, request.path, error)
            return _text(500, str(error))

    def _routes(self) -> dict[str, Callable[[Request, list[str]], Awaitable[Answer]]]:
        return {
            "healthz": self._health,
            "pods": self._pods,
            "containerLogs": self._logs,
            "exec": self._exec,
            "attach": self._attach,
            "portForward": self._port_forward,
        }

    def _admit(self, request: Request) -> None:
        files = self._options.server
        if files is None or not files.allowed_names or request.peer.common_name in files.allowed_names:
            return
        raise Refused(403, f"Forbidden (user={request.peer.common_name})")

    async def _health(self, request: Request, parts: list[str]) -> Answer:
        return _text(200, "ok")

    async def _pods(self, request: Request, parts: list[str]) -> Answer:
        body = msgspec.json.encode(PodList(items=self._kubelet.pods()))
        return Response(200, {"content-type": "application/json"}, body)

    async def _logs(self, request: Request, parts: list[str]) -> Answer:
        worker, name = self._container(parts)
        record = self._logged(worker, name, _flag(request, "previous"))
        path = Path(record.log_path)
        if not path.is_file():
            raise Refused(404, f'failed to get logs of container "{name}": {path.name} is gone')
        options = self._log_options(request)

        def is_over() -> bool:
            now = next((each for each in worker.runtime.containers if each.id == record.id), None)
            return now is None or not is_running(now)

        return Response(200, {"content-type": "text/plain"}, stream=read_log(path, options, is_over))

    def _log_options(self, request: Request) -> LogOptions:
        since = parse_time(request.parameter("sinceTime"))
        if seconds := _number(request, "sinceSeconds"):
            since = nanoseconds(self._kubelet.kit.clock.now()) - seconds * SECOND
        stream = request.parameter("stream")
        return LogOptions(
            follow=_flag(request, "follow"),
            tail_lines=_number(request, "tailLines"),
            since=since,
            timestamps=_flag(request, "timestamps"),
            limit_bytes=_number(request, "limitBytes"),
            stream="" if stream == "All" else stream,
        )

    def _logged(self, worker: PodWorker, name: str, previous: bool) -> ContainerRecord:
        pod = worker.pod
        if previous:
            record = worker.runtime.previous(name)
            if record is None:
                text = f'previous terminated container "{name}" in pod "{pod.metadata.name}" not found'
                raise Refused(400, text)
            return record
        record = worker.runtime.newest(name)
        if record is None or not record.started_at:
            reason = _waiting_reason(worker, name)
            why = "trying and failing to pull image" if reason in _PULL_REASONS else reason
            text = f'container "{name}" in pod "{pod.metadata.name}" is waiting to start: {why}'
            raise Refused(400, text)
        return record

    async def _exec(self, request: Request, parts: list[str]) -> Answer:
        worker, name = self._container(parts)
        record = streams.running_container(worker, name)
        command = [value for key, value in request.query if key == "command"]
        if not command:
            raise Refused(400, "you must specify a command")
        return Tunnel(await streams.exec_url(self._kubelet.kit.runtime, record, command, _streams(request)))

    async def _attach(self, request: Request, parts: list[str]) -> Answer:
        worker, name = self._container(parts)
        record = streams.running_container(worker, name)
        return Tunnel(await streams.attach_url(self._kubelet.kit.runtime, record, _streams(request)))

    async def _port_forward(self, request: Request, parts: list[str]) -> Answer:
        worker = self._pod(parts)
        ports = [int(part) for key, value in request.query if key == "port" for part in value.split(",")]
        return Tunnel(await streams.port_forward_url(self._kubelet.kit.runtime, worker, ports))

    def _container(self, parts: list[str]) -> tuple[PodWorker, str]:
        """`namespace/pod/container` or `namespace/pod/uid/container`."""
        if len(parts) not in (3, 4):
            raise Refused(404, "404 page not found")
        worker, name = self._pod(parts[:-1]), parts[-1]
        if all(container.name != name for container in all_containers(worker.pod)):
            raise Refused(404, f"container {name} not found in pod {worker.pod.metadata.name}")
        return worker, name

    def _pod(self, parts: list[str]) -> PodWorker:
        if len(parts) not in (2, 3):
            raise Refused(404, "404 page not found")
        worker = self._kubelet.find(*parts)
        if worker is None:
            raise Refused(404, f'pod "{parts[1]}" does not exist')
        return worker


def _text(status: int, text: str) -> Response:
    return Response(status, {"content-type": "text/plain; charset=utf-8"}, text.encode())


def _flag(request: Request, name: str) -> bool:
    return request.parameter(name).lower() in ("true", "1")


def _number(request: Request, name: str) -> int | None:
    value = request.parameter(name)
    if not value:
        return None
    if not value.isdecimal():
        raise Refused(400, f"invalid {name}: {json.dumps(value)}")
    return int(value)


def _streams(request: Request) -> Streams:
    """The kubelet calls the streams input, output and error; the API server's names are taken as well."""
    return Streams(
        stdin=_flag(request, "input") or _flag(request, "stdin"),
        stdout=_flag(request, "output") or _flag(request, "stdout"),
        stderr=_flag(request, "error") or _flag(request, "stderr"),
        tty=_flag(request, "tty"),
    )


def _waiting_reason(worker: PodWorker, name: str) -> str:
    statuses = (*worker.pod.status.container_statuses, *worker.pod.status.init_container_statuses)
    for status in statuses:
        if status.name == name and status.state.waiting is not None:
            return status.state.waiting.reason or "ContainerCreating"
    return "ContainerCreating"
