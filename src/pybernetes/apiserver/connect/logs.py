"""`pods/NAME/log`: the kubelet's stream of a container's log, passed on as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any

from pybernetes.api.status import FieldError, StatusError, failure, forbidden_field, invalid
from pybernetes.api.types.core_v1 import Node
from pybernetes.api.types.meta_v1 import StatusCause, StatusDetails
from pybernetes.api.wire import Channel, Request, Response, Upgrade
from pybernetes.apiserver.connect.node_connection import Call, Unreachable
from pybernetes.apiserver.connect.pods import Connections, refused_by_node, target_of
from pybernetes.apiserver.connect.relay import either, until_closed
from pybernetes.apiserver.connect.targets import chosen_container, kubelet_of
from pybernetes.apiserver.connect.web_socket import is_web_socket
from pybernetes.apiserver.request import Authenticated
from pybernetes.streaming.channels import ONE_WAY, ChannelProtocol, choose, offered_protocols

_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = {"tailLines": 0, "sinceSeconds": 1, "limitBytes": 1}
_TEXT = {"content-type": "text/plain"}
_LARGEST_REFUSAL = 1 << 16


class Logs:
    """Handler of pods' log."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, asked: Authenticated) -> Response:
        """The log as text, in chunks while it is followed, or in the messages of a WebSocket."""
        request, info = asked.request, asked.info
        pod = self._connections.pod(asked)
        require_valid(request, info.name)
        container = chosen_container(pod, request.parameter("container"))
        if not pod.spec.node_name:
            return Response(200, _TEXT)
        kubelet = kubelet_of(self._connections.reader.get(Node, pod.spec.node_name), pod.spec.node_name)
        target = target_of(("containerLogs", info.namespace, info.name, container), kubelet_query(request))
        try:
            answer = await self._connections.nodes.request(kubelet, Call("GET", target))
        except Unreachable as error:
            raise failure(500, "", f'Get "{kubelet.url(target)}": {error}') from error
        if answer.status != 200:
            text = (answer.body or await _beginning(answer)).decode(errors="replace").rstrip("\n")
            raise refused_by_node(answer.status, text, "pods/log", info.name)
        if is_web_socket(request):
            return _over_web_socket(request, answer)
        return Response(200, _TEXT, answer.body, answer.stream)


async def _beginning(answer: Response) -> bytes:
    body = b""
    if answer.stream is not None:
        stream: Any = answer.stream
        async with aclosing(stream):
            async for chunk in stream:
                body += chunk
                if len(body) > _LARGEST_REFUSAL:
                    break
    return body


def _over_web_socket(request: Request, answer: Response) -> Response:
    protocol = choose(offered_protocols(request.headers.get("sec-websocket-protocol", "")), ONE_WAY) or ONE_WAY[0]

    async def serve(client: Channel) -> None:
        await either(until_closed(client), _send(client, protocol, answer))
        await client.close()

    return Response(101, upgrade=Upgrade(protocol.name, serve))


async def _send(client: Channel, protocol: ChannelProtocol, answer: Response) -> None:
    stream: Any = answer.stream if answer.stream is not None else _once(answer.body)
    async with aclosing(stream):
        async for chunk in stream:
            await client.send(protocol.encode(0, chunk))


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def kubelet_query(request: Request) -> list[tuple[str, str]]:
    """The parameters that the kubelet understands. Pure."""
    flags = [(name, "true") for name in _FLAGS if is_flag_set(request, name)]
    rest = [(name, value) for name in (*_NUMBERS, "sinceTime") if (value := request.parameter(name))]
    return flags + rest


def is_flag_set(request: Request, name: str) -> bool:
    """A boolean of a query: present and neither false nor 0."""
    values = [value for key, value in request.query if key == name]
    return bool(values) and values[0].lower() not in ("false", "0")


def require_valid(request: Request, name: str) -> None:
    """422 for parameters that cannot be. Pure."""
    problems: list[FieldError] = []
    for field, least in _NUMBERS.items():
        text = request.parameter(field)
        if not text:
            continue
        try:
            value = int(text)
        except ValueError:
            raise failure(400, "BadRequest", f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
        if value < least:
            problems.append(invalid(field, value, f"must be greater than {'or equal to ' if not least else ''}0"))
    since = request.parameter("sinceTime")
    if since and request.parameter("sinceSeconds"):
        problems.append(forbidden_field("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif since and not _is_time(since):
        raise failure(400, "BadRequest", f'parsing time "{since}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    if request.parameter("stream"):
        # Belongs to a feature that is off by default.
        problems.append(forbidden_field("stream", "may not be specified"))
    if problems:
        raise _invalid_options(name, problems)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _invalid_options(name: str, problems: list[FieldError]) -> StatusError:
    texts = [str(problem) for problem in problems]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [StatusCause(reason=p.type, message=p.body, field=p.field) for p in problems]
    details = StatusDetails(name=name, kind="PodLogOptions", causes=causes)
    return failure(422, "Invalid", f'PodLogOptions "{name}" is invalid: {listed}', details)
