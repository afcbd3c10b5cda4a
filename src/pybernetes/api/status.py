"""Errors of the API as Kubernetes words them: every failure is a `Status` with a code, a reason and a message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.types.meta_v1 import Status, StatusCause, StatusDetails


class StatusError(Exception):
    """An answer of the API server that is not a success; `status` is the body that says so."""

    def __init__(self, status: Status, headers: dict[str, str] | None = None) -> None:
        super().__init__(status.message)
        self.status = status
        self.headers = headers or {}

    @property
    def code(self) -> int:
        """The HTTP status code."""
        return self.status.code or 500

    @property
    def reason(self) -> str:
        """The machine-readable reason, such as `NotFound`."""
        return self.status.reason or ""


# A value that the message does not show.
OMITTED = object()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field, with upstream's wording of each type."""

    type: str  # the cause's reason: FieldValueInvalid, FieldValueRequired ...
    field: str  # "spec.containers[0].name"
    detail: str = ""
    value: Any = None

    @property
    def body(self) -> str:
        """The text without the field's name."""
        label = _LABELS[self.type]
        if self.type in ("FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "InternalError"):
            return f"{label}: {self.detail}" if self.detail else label
        if self.value is OMITTED or (self.type == "FieldValueTypeInvalid" and self.value is None):
            return f"{label}: {self.detail}" if self.detail else label
        text = f"{label}: {shown(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"


_LABELS = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueNotFound": "Not found",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "FieldValueTypeInvalid": "Invalid value",
    "InternalError": "Internal error",
}


# What Go's JSON, but not its text, writes as an escape.
# What is told of one object: a value of some size may be wrong in as many ways, and is shown each time.
_TOLD_MAX = 10_000_000
_AS_IN_HTML = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def shown(value: Any) -> str:
    """A bad value as the message shows it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if isinstance(value, str) else text.translate(_AS_IN_HTML)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", field, detail, value)


def required(field: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", field, detail)


def forbidden_field(field: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, detail)


def duplicate(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", field, "", value)


def not_supported(field: str, value: Any, supported: Sequence[str]) -> FieldError:
    listed = ", ".join(f'"{item}"' for item in supported)
    return FieldError("FieldValueNotSupported", field, f"supported values: {listed}", value)


def not_found_field(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueNotFound", field, "", value)


def failure(code: int, reason: str, message: str, details: StatusDetails | None = None) -> StatusError:
    """A failure that has no constructor of its own below."""
    status = Status(status="Failure", code=code, reason=reason or None, message=message, details=details)
    return StatusError(status)


def _details(kind: Kind, name: str) -> StatusDetails:
    return StatusDetails(name=name or None, group=kind.group or None, kind=kind.resource)


def not_found(kind: Kind, name: str) -> StatusError:
    return failure(404, "NotFound", f'{kind.group_resource} "{name}" not found', _details(kind, name))


def already_exists(kind: Kind, name: str) -> StatusError:
    return failure(409, "AlreadyExists", f'{kind.group_resource} "{name}" already exists', _details(kind, name))


def conflict(kind: Kind, name: str, why: str) -> StatusError:
    message = f'Operation cannot be fulfilled on {kind.group_resource} "{name}": {why}'
    return failure(409, "Conflict", message, _details(kind, name))


OBJECT_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def forbidden(kind: Kind, name: str, why: str) -> StatusError:
    message = f'{kind.group_resource} "{name}" is forbidden: {why}'
    return failure(403, "Forbidden", message, _details(kind, name))


def aggregate(texts: Iterable[str]) -> str:
    """Several errors as one text: each once, in brackets if there is more than one."""
    each = list(dict.fromkeys(texts))
    return each[0] if len(each) == 1 else f"[{', '.join(each)}]"


def bad_request(message: str) -> StatusError:
    return failure(400, "BadRequest", message)


def unauthorized() -> StatusError:
    return failure(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> StatusError:
    return failure(410, "Expired", message)


def internal_error(message: str) -> StatusError:
    details = StatusDetails(causes=[StatusCause(message=message)])
    return failure(500, "InternalError", f"Internal error occurred: {message}", details)


def invalid_object(kind: Kind, name: str, errors: Sequence[FieldError], called: str = "") -> StatusError:
    """422 with one cause per field, in upstream's wording: `Pod "x" is invalid: [a, b]`; `called` replaces the kind."""
    called = called or kind.name
    causes: list[StatusCause] = []
    told = 0
    for error in errors:
        causes.append(StatusCause(reason=error.type, message=error.body, field=error.field))
        told += len(causes[-1].message or "")
        if told > _TOLD_MAX:
            break
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = StatusDetails(name=name or None, group=kind.group or None, kind=called, causes=causes)
    qualified = f"{called}.{kind.group}" if kind.group else called
    return failure(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', details)
