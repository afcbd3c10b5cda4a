"""What exec and attach say: which streams there are, sizes, and how a command ended."""

from __future__ import annotations

import msgspec

from pybernetes.api.types.meta_v1 import Status
from pybernetes.streaming.remote_command import (
    CommandStreams,
    channel_of,
    exit_code,
    exited,
    read_status,
    stream_headers,
    terminal_size,
)


def test_a_terminal_has_sizes_and_no_standard_error() -> None:
    everything = CommandStreams(stdin=True, stdout=True, stderr=True)
    assert everything.channels() == [3, 0, 1, 2]
    assert CommandStreams(stdin=True, stdout=True, stderr=True, tty=True).channels() == [3, 0, 1, 4]
    assert everything.first_readable() == 1
    assert CommandStreams(stderr=True).first_readable() == 2
    assert CommandStreams(stdin=True).first_readable() == 3


def test_streams_are_named_by_their_headers() -> None:
    assert stream_headers(4) == {"streamtype": "resize"}
    assert [channel_of(stream_headers(channel)) for channel in range(5)] == [0, 1, 2, 3, 4]
    assert channel_of({"streamtype": "data"}) is None


def test_exit_codes_survive_the_way_as_a_status() -> None:
    for code in (0, 1, 137):
        assert exit_code(read_status(msgspec.json.encode(exited(code)))) == code
    assert exited(3).message == "command terminated with non-zero exit code: exit status 3"


def test_other_failures_have_no_exit_code() -> None:
    assert exit_code(Status(status="Failure", reason="InternalError", message="broken")) is None
    assert read_status(b"container is gone") == Status(status="Failure", message="container is gone")
    assert exit_code(read_status(b"")) == 0


def test_sizes_are_spelled_as_upstream_does() -> None:
    assert terminal_size(80, 24) == b'{"Width":80,"Height":24}'
