"""What exec and attach say on their streams: stream headers, terminal sizes, and the Status that ends a session. Pure.

The API server translates with it between WebSocket channels and SPDY streams; a client reads exit codes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from pybernetes.api.types.meta_v1 import Status, StatusCause, StatusDetails
from pybernetes.api.whole_number import whole_number
from pybernetes.streaming.channels import ERROR, RESIZE, STDERR, STDIN, STDOUT

# The header of SPDY's upgrade that names the protocol of the streams.
VERSION_HEADER = "x-stream-protocol-version"
# What runtimes understand; with v4 the error stream carries a Status.
VERSIONS = ("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
NON_ZERO_EXIT_CODE = "NonZeroExitCode"
EXIT_CODE = "ExitCode"
_STREAM_TYPES = {ERROR: "error", STDIN: "stdin", STDOUT: "stdout", STDERR: "stderr", RESIZE: "resize"}


@dataclass(frozen=True, slots=True)
class CommandStreams:
    """Which streams a session has. A terminal has no standard error of its own."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False

    def channels(self) -> list[int]:
        """The channels in the order in which their SPDY streams are begun."""
        wanted = ((STDIN, self.stdin), (STDOUT, self.stdout), (STDERR, self.stderr and not self.tty))
        return [ERROR, *(channel for channel, is_wanted in wanted if is_wanted), *([RESIZE] if self.tty else [])]

    def first_readable(self) -> int:
        """The channel on which the server says, with an empty message, that the session has begun."""
        return STDOUT if self.stdout else STDERR if self.stderr and not self.tty else ERROR


def stream_headers(channel: int) -> dict[str, str]:
    """The headers with which the SPDY stream of a channel is begun."""
    return {"streamtype": _STREAM_TYPES[channel]}


def channel_of(headers: dict[str, str]) -> int | None:
    """The channel of a SPDY stream by its headers."""
    wanted = headers.get("streamtype", "")
    return next((channel for channel, name in _STREAM_TYPES.items() if name == wanted), None)


def terminal_size(width: int, height: int) -> bytes:
    """A message for the resize stream, in character cells."""
    return msgspec.json.encode({"Width": width, "Height": height})


def success() -> Status:
    return Status(status="Success")


def exited(code: int) -> Status:
    """The Status of a command that ended with this exit code."""
    if code == 0:
        return success()
    cause = StatusCause(reason=EXIT_CODE, message=str(code))
    return Status(
        status="Failure",
        reason=NON_ZERO_EXIT_CODE,
        details=StatusDetails(causes=[cause]),
        message=f"command terminated with non-zero exit code: exit status {code}",
    )


def read_status(data: bytes) -> Status:
    """The Status on an error channel; plain text, as older protocols send it, is a failure with that message."""
    if not data:
        return success()
    try:
        status = msgspec.json.decode(data, type=Status)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Status(status="Failure", message=data.decode(errors="replace"))
    return status


def exit_code(status: Status) -> int | None:
    """The command's exit code; None when the session failed for another reason."""
    if status.status == "Success":
        return 0
    causes: Sequence[StatusCause] = status.details.causes if status.details is not None else ()
    if status.reason != NON_ZERO_EXIT_CODE:
        return None
    told = (whole_number(cause.message or "") for cause in causes if cause.reason == EXIT_CODE)
    return next((code for code in told if code is not None), None)
