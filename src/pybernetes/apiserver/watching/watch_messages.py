"""Watches over WebSockets: every event is a message of its own, text where its media type is text.

Flow: the chunks of a watch, which hold events one behind the other, and a client's channel go in; messages go out until
either side ends. What the client says is read and passed over. Called by `watches`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from pybernetes.api.wire import Channel, Request, Response, Upgrade
from pybernetes.apiserver.connect.relay import either, until_closed
from pybernetes.apiserver.connect.web_socket import is_web_socket, offered

# The length of a message in protobuf stands before it.
_LENGTH_BYTES = 4


def wants_messages(request: Request) -> bool:
    """Whether a client asks for its watch as a WebSocket."""
    return is_web_socket(request) and "upgrade" in request.headers.get("connection", "").lower()


def upgraded(request: Request, begin: Callable[[], AsyncIterator[bytes]], *, is_text: bool) -> Response:
    """The answer that turns the connection into a WebSocket; `begin` starts the watch once that has happened."""
    protocols = offered(request)
    return Response(101, upgrade=Upgrade(protocols[0] if protocols else "", partial(_serve, begin, is_text)))


async def _serve(begin: Callable[[], AsyncIterator[bytes]], is_text: bool, client: Channel) -> None:
    await either(until_closed(client), _send(client, begin(), is_text))
    await client.close()


async def _send(client: Channel, events: Any, is_text: bool) -> None:
    rest = b""
    async with aclosing(events):
        async for chunk in events:
            messages, rest = split_lines(rest + chunk) if is_text else split_frames(rest + chunk)
            for message in messages:
                await client.send(message.decode() if is_text else message)


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """The lines that are complete, line breaks included, and what is left. Pure."""
    *lines, rest = data.split(b"\n")
    return [line + b"\n" for line in lines], rest


def split_frames(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages that are complete, without their lengths, and what is left. Pure."""
    messages, position = [], 0
    while len(data) - position >= _LENGTH_BYTES:
        begin = position + _LENGTH_BYTES
        end = begin + int.from_bytes(data[position:begin], "big")
        if end > len(data):
            break
        messages.append(data[begin:end])
        position = end
    return messages, data[position:]
