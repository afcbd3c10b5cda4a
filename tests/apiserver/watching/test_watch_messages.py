"""How the chunks of a watch are cut into the messages of a WebSocket."""

from __future__ import annotations

import pytest

from pybernetes.api.wire import Request
from pybernetes.apiserver.watching.watch_messages import split_frames, split_lines, wants_messages


def test_lines_that_are_complete() -> None:
    assert split_lines(b'{"a":1}\n{"b":2}\n{"c"') == ([b'{"a":1}\n', b'{"b":2}\n'], b'{"c"')
    assert split_lines(b"") == ([], b"")


def test_frames_that_are_complete() -> None:
    first, second = b"\0\0\0\3abc", b"\0\0\0\1d"
    assert split_frames(first + second) == ([b"abc", b"d"], b"")
    assert split_frames(first + second[:3]) == ([b"abc"], second[:3])
    assert split_frames(first[:6]) == ([], first[:6])


@pytest.mark.parametrize(
    ("connection", "upgrade", "wanted"),
    [
        ("Upgrade", "websocket", True),
        ("keep-alive, Upgrade", "WebSocket", True),
        ("keep-alive", "websocket", False),
        ("Upgrade", "SPDY/3.1", False),
    ],
)
def test_who_wants_messages(connection: str, upgrade: str, wanted: bool) -> None:
    request = Request("GET", "/", (), {"connection": connection, "upgrade": upgrade})
    assert wants_messages(request) is wanted
