"""Container logs as the runtime writes them (CRI format), read back for `kubectl logs`.

A line is `<time> <stdout|stderr> <P|F> <text>`; P means that the line goes on in the next one. In: a path and what is
asked for; out: chunks of bytes. Following waits for the file to grow, by inotify.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pybernetes.kubelet.decide.times import parse_time
from pybernetes.kubelet.file_watch import FileWatch

BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is asked for; `since` in nanoseconds, None where nothing is said."""

    follow: bool = False
    tail_lines: int | None = None
    since: int = 0
    timestamps: bool = False
    limit_bytes: int | None = None
    stream: str = ""  # stdout or stderr; empty: both


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log file."""

    time: str
    stream: str
    partial: bool
    text: bytes


def parse_line(raw: bytes) -> Line | None:
    """None for what is no line of a container log."""
    parts = raw.rstrip(b"\n").split(b" ", 3)
    if len(parts) < 3:
        return None
    text = parts[3] if len(parts) > 3 else b""
    tags = parts[2].split(b":")
    return Line(parts[0].decode("ascii", "replace"), parts[1].decode("ascii", "replace"), tags[0] == b"P", text)


class Shaper:
    """Turns lines into what the user asked for; keeps the state between chunks of a followed log."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._left = options.limit_bytes
        self._continued = False
        self._since_reached = not options.since

    @property
    def exhausted(self) -> bool:
        """Whether the byte limit has been reached."""
        return self._left == 0

    def shape(self, raw: bytes) -> bytes:
        """The bytes to send for one raw line; empty when it is not wanted."""
        line = parse_line(raw)
        if line is None or (self._options.stream and line.stream.lower() != self._options.stream.lower()):
            return b""
        if not self._since_reached:
            if parse_time(line.time) < self._options.since:
                return b""
            self._since_reached = True
        stamp = line.time.encode() + b" " if self._options.timestamps and not self._continued else b""
        self._continued = line.partial
        out = stamp + line.text + (b"" if line.partial else b"\n")
        if self._left is not None:
            out = out[: self._left]
            self._left -= len(out)
        return out


def open_log(path: Path) -> BinaryIO:
    """A log to be read. Whoever may write where logs are must not have any file of the machine shown as one.

    OSError (ELOOP) for a symbolic link: the runtime writes none.
    """
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb")


async def read_log(path: Path, options: LogOptions, is_over: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The log in chunks. With `follow` it ends when `is_over` says so and everything has been read."""
    shaper = Shaper(options)
    with open_log(path) as file:
        if options.tail_lines is not None:
            file.seek(tail_offset(path, options.tail_lines))
        rest = b""
        with FileWatch(path) as watch:
            while not shaper.exhausted:
                over = is_over()  # before reading: what was written until then is in the file now
                block = file.read(BLOCK)
                if block:
                    *lines, rest = (rest + block).split(b"\n")
                    chunk = b"".join(shaper.shape(line) for line in lines)
                    if chunk:
                        yield chunk
                    continue
                if not options.follow or over:
                    break
                await watch.changed(1.0)
        if rest and not shaper.exhausted:
            yield shaper.shape(rest)


def tail_offset(path: Path, lines: int) -> int:
    """Where the last so many (whole) lines begin."""
    if lines <= 0:
        return path.stat().st_size
    found = 0
    with open_log(path) as file:
        end = file.seek(0, 2)
        position = end
        for start, block in _blocks_backwards(file.fileno(), end):
            for index in range(len(block) - 1, -1, -1):
                if block[index] == 10 and start + index != end - 1:
                    found += 1
                    if found == lines:
                        return start + index + 1
            position = start
    return position


def _blocks_backwards(descriptor: int, end: int) -> Iterator[tuple[int, bytes]]:

    while end > 0:
        start = max(end - BLOCK, 0)
        yield start, os.pread(descriptor, end - start, start)
        end = start


def tail_text(path: Path, lines: int, limit: int) -> str:
    """The last lines of a log as text, at most `limit` characters; empty when there is no log."""
    try:
        with open_log(path) as file:
            file.seek(tail_offset(path, lines))
            shaper = Shaper(LogOptions())
            text = b"".join(shaper.shape(line) for line in file.read(BLOCK).split(b"\n") if line)
    except OSError:
        return ""
    return text.decode("utf-8", "replace")[-limit:]
