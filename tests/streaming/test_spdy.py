"""SPDY framing: two sessions talk to each other over bytes that are cut anywhere."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.streaming.spdy import (
    DataReceived,
    Event,
    GoneAway,
    SpdyError,
    SpdySession,
    StreamAccepted,
    StreamOpened,
    StreamReset,
)
from pybernetes.streaming.spdy_headers import DICTIONARY


def heard(data: bytes, by: SpdySession, pieces: int = 1) -> list[Event]:
    return [event for at in range(0, len(data), pieces) for event in by.receive(data[at : at + pieces])]


def test_dictionary_is_the_protocols() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_stream_is_opened_accepted_filled_and_finished() -> None:
    client, server = SpdySession(client=True), SpdySession(client=False)
    stream = client.open({"streamType": "stdin", "port": "80"})
    client.send(stream, b"hello")
    client.send(stream, b"", finished=True)
    assert heard(client.take(), server) == [
        StreamOpened(1, {"streamtype": "stdin", "port": "80"}),
        DataReceived(1, b"hello"),
        DataReceived(1, b"", finished=True),
    ]
    server.accept(1)
    server.send(1, b"bye", finished=True)
    assert heard(server.take(), client) == [StreamAccepted(1, {}), DataReceived(1, b"bye", finished=True)]


def test_numbers_are_odd_for_clients_and_even_for_servers() -> None:
    client, server = SpdySession(client=True), SpdySession(client=False)
    assert [client.open({}), client.open({}), server.open({}), server.open({})] == [1, 3, 2, 4]


@given(st.binary(max_size=100_000), st.integers(1, 5000))
def test_bytes_arrive_whole_however_they_are_cut(data: bytes, pieces: int) -> None:
    client, server = SpdySession(client=True), SpdySession(client=False)
    stream = client.open({"a": "b"})
    client.send(stream, data, finished=True)
    events = heard(client.take(), server, pieces)
    parts = [event for event in events if isinstance(event, DataReceived)]
    assert b"".join(part.data for part in parts) == data
    assert [part.finished for part in parts] == [False] * (len(parts) - 1) + [True]


@given(st.lists(st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(max_size=50)), max_size=5))
def test_headers_of_several_streams_share_one_compression(headers: list[dict[str, str]]) -> None:
    client, server = SpdySession(client=True), SpdySession(client=False)
    for each in headers:
        client.open(each)
    opened = [event.headers for event in heard(client.take(), server) if isinstance(event, StreamOpened)]
    assert opened == headers


def test_ping_is_answered_once() -> None:
    client, server = SpdySession(client=True), SpdySession(client=False)
    client.ping()
    question = client.take()
    assert heard(question, server) == []
    assert server.take() == question
    assert heard(question, client) == []
    assert client.take() == b""


def test_reset_and_going_away_are_told() -> None:
    client, server = SpdySession(client=True), SpdySession(client=False)
    stream = client.open({})
    heard(client.take(), server)
    server.reset(stream, 3)
    server.go_away()
    assert heard(server.take(), client) == [StreamReset(1, 3), GoneAway(1)]


def test_frames_of_no_interest_are_passed_over() -> None:
    session = SpdySession(client=True)
    settings = bytes.fromhex("80030004 00000004 00000000")
    window = bytes.fromhex("80030009 00000008 00000001 00001000")
    assert session.receive(settings + window) == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bytes.fromhex("80020001 00000000"), id="another version"),
        pytest.param(bytes.fromhex("80030001 00000000"), id="a stream without a number"),
        pytest.param(bytes.fromhex("80030001 0000000d 00000001 00000000 0000 616263"), id="headers that are no zlib"),
    ],
)
def test_what_is_no_spdy_is_refused(data: bytes) -> None:
    with pytest.raises(SpdyError):
        SpdySession(client=False).receive(data)
