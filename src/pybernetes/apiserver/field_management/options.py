"""The query of a write as far as managers are concerned: `fieldManager` and `force`. Pure."""

from __future__ import annotations

from pybernetes.api import status
from pybernetes.api.wire import Request

APPLY_PATCH = "application/apply-patch+yaml"
_MANAGER_MAX = 128


def is_apply(request: Request) -> bool:
    """Whether a PATCH is a server-side apply."""
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    return request.method == "PATCH" and media == APPLY_PATCH


def option_problem(request: Request, manager: str, force: bool | None) -> status.FieldError | None:
    """What upstream refuses."""
    if is_apply(request):
        if not manager:
            return status.required("fieldManager", "is required for apply patch")
    elif force is not None:
        return status.forbidden_field("force", "may not be specified for non-apply patch")
    if not manager:
        return None
    if len(manager.encode()) > _MANAGER_MAX:
        detail = f"may not be more than {_MANAGER_MAX} bytes"
        return status.FieldError("FieldValueTooLong", "fieldManager", detail)
    if not manager.isprintable():
        place = next(index for index, letter in enumerate(manager) if not letter.isprintable())
        detail = f"invalid character U+{ord(manager[place]):04X} (at position {len(manager[:place].encode())})"
        return status.invalid("fieldManager", manager, detail)
    return None


def manager_of(named: str, user_agent: str) -> str:
    """The manager that a request names, or else the printable beginning of its user agent."""
    if named:
        return named
    name = user_agent.partition("/")[0]
    if not name.isprintable():
        name = "".join(letter for letter in name if letter.isprintable())
    return name.encode()[:_MANAGER_MAX].decode(errors="ignore") if len(name) > _MANAGER_MAX // 4 else name
