"""Why a component does not start, told to whoever started it: one line that names the flag, and no traceback.

The processes wrap what depends on flags and files in `refusing`; `cli.main` prints what comes out and ends with 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Refused(Exception):
    """What was asked for cannot be; the message says why, and so what people can set right."""


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turns what bad files and values raise into `Refused`, with the flag or step that they belong to."""
    try:
        yield
    except (OSError, ValueError, OverflowError) as error:
        raise Refused(f"{what}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What an error means to people: of an OSError the words and the file, not the number."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
