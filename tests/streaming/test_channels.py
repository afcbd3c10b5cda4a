"""Sub-protocols of WebSockets: messages as clients of every age write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.streaming.channels import (
    ONE_WAY,
    REMOTE_COMMAND,
    V4,
    V5,
    BadMessage,
    ChannelClosed,
    ChannelData,
    choose,
    offered_protocols,
)

BY_NAME = {protocol.name: protocol for protocol in (*REMOTE_COMMAND, *ONE_WAY[:2])}


def test_binary_messages_begin_with_the_channel() -> None:
    assert V5.encode(1, b"out") == b"\x01out"
    assert V5.decode(b"\x00in") == ChannelData(0, b"in")
    assert V5.decode(b"\x04") == ChannelData(4, b"")


def test_only_v5_ends_one_direction_of_a_channel() -> None:
    assert V5.decode(b"\xff\x00") == ChannelClosed(0)
    assert V5.encode_close(0) == b"\xff\x00"
    assert V4.decode(b"\xff\x00") == ChannelData(255, b"\x00")
    assert V4.encode_close(0) is None


def test_text_messages_are_a_digit_and_base64() -> None:
    protocol = BY_NAME["v4.base64.channel.k8s.io"]
    assert protocol.encode(2, b"err") == "2ZXJy"
    assert protocol.decode("0aW4=") == ChannelData(0, b"in")


def test_one_stream_needs_no_channel() -> None:
    assert BY_NAME["binary.k8s.io"].encode(0, b"log") == b"log"
    assert BY_NAME["base64.binary.k8s.io"].encode(0, b"log") == "bG9n"


@given(st.sampled_from(REMOTE_COMMAND), st.integers(0, 4), st.binary(max_size=200))
def test_every_message_comes_back(protocol: object, channel: int, data: bytes) -> None:
    assert isinstance(protocol, type(V5))
    assert protocol.decode(protocol.encode(channel, data)) == ChannelData(channel, data)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v5.channel.k8s.io", b""),
        ("v5.channel.k8s.io", b"\xff"),
        ("base64.channel.k8s.io", "xaW4="),
        ("base64.channel.k8s.io", "0%%"),
    ],
)
def test_malformed_messages_are_refused(name: str, message: bytes | str) -> None:
    with pytest.raises(BadMessage):
        BY_NAME[name].decode(message)


def test_the_clients_first_wish_that_is_served_is_chosen() -> None:
    assert offered_protocols("v5.channel.k8s.io, v4.channel.k8s.io") == ["v5.channel.k8s.io", "v4.channel.k8s.io"]
    assert choose(["v9.channel.k8s.io", "v4.channel.k8s.io"], REMOTE_COMMAND) == V4
    assert choose(["v9.channel.k8s.io"], REMOTE_COMMAND) is None
    plain = choose([], REMOTE_COMMAND)
    assert plain is not None
    assert plain.name == ""
