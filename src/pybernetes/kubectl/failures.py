"""Failures as kubectl words them: an error of the API or the connection goes in, a text for stderr comes out.

Verbs raise `CommandError` for their own; `commands.run` prints what `explained` says and takes its exit code.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import Status, StatusCause
from pybernetes.client import ConfigError, Unreachable

Failure = StatusError | Unreachable | ConfigError


class CommandError(Exception):
    """What kubectl prints on stderr, word for word, before it ends with `code`; empty text prints nothing."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


def error(text: str) -> CommandError:
    """The usual form: `error: ` and the text."""
    return CommandError(text if text.startswith("error: ") else f"error: {text}")


def usage(text: str, verb: str) -> CommandError:
    """A command line that cannot be understood."""
    return CommandError(f"error: {text}\nSee 'kubectl {verb} -h' for help and examples")


def several(failures: Sequence[CommandError]) -> CommandError:
    """All of them, one after another."""
    return CommandError("\n".join(failure.text for failure in failures), failures[-1].code)


def with_context(doing: str, source: str, failure: StatusError) -> StatusError:
    """The same failure, saying what was being done with which file."""
    message = f'error when {doing} "{source}": {failure.status.message}'
    return StatusError(msgspec.structs.replace(failure.status, message=message), failure.headers)


def explained(failure: Failure, server: str = "") -> CommandError:
    """kubectl's text for a failure that is not its own; `server` is the API server's host and port."""
    if isinstance(failure, StatusError):
        return CommandError(_of_status(failure.status))
    if isinstance(failure, ConfigError):
        return error(str(failure))
    text = str(failure)
    if "Connect call failed" in text or "refused" in text:
        return CommandError(
            f"The connection to the server {server} was refused - did you specify the right host or port?"
        )
    return CommandError(f"Unable to connect to the server: {text}")


def _of_status(status: Status) -> str:
    message = status.message or ""
    if status.reason == "Unauthorized":
        return f"error: You must be logged in to the server ({message})"
    if status.reason == "Invalid":
        return _of_invalid(status)
    reason = "" if status.reason in (None, "", "Unknown") else f" ({status.reason})"
    return f"Error from server{reason}: {message}"


def _of_invalid(status: Status) -> str:
    details = status.details
    if details is None:
        return f"The request is invalid: {status.message}"
    text = "The request is invalid"
    if details.kind or details.name:
        text = f'The {details.kind or ""} "{details.name or ""}" is invalid'
    elif status.message and not details.causes:
        return f"{text}: {status.message}"
    if not details.causes:
        return text
    return f"{text}: {_listed(details.causes)}"


def _listed(causes: Sequence[StatusCause]) -> str:
    lines = list(dict.fromkeys(f"{cause.field or ''}: {cause.message or ''}" for cause in causes))
    return lines[0] if len(lines) == 1 else "".join(f"\n* {line}" for line in lines)
