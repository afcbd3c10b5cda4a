"""The parameters of operations: where each stands and of what type it is. Shared by both versions of the document."""

from __future__ import annotations

_BOOLEANS = frozenset(
    (
        *("allowWatchBookmarks", "follow", "force", "ignoreStoreReadErrorWithClusterBreakingPotential"),
        *("insecureSkipTLSVerifyBackend", "orphanDependents", "previous", "sendInitialEvents"),
        *("stderr", "stdin", "stdout", "timestamps"),
        *("tty", "watch"),
    )
)
_INTEGERS = frozenset(
    (
        *("gracePeriodSeconds", "limit", "limitBytes", "ports"),
        *("sinceSeconds", "tailLines", "timeoutSeconds"),
    )
)
# `{path}` is the path below a proxy, `path` the query parameter of the same name.
_IN_PATH = frozenset({"name", "namespace", "{path}"})


def type_of(name: str) -> str:
    """The JSON type of a parameter."""
    return "boolean" if name in _BOOLEANS else "integer" if name in _INTEGERS else "string"


def place_of(name: str) -> dict[str, object]:
    """The name and place of a parameter, as both versions write it."""
    if name in _IN_PATH:
        return {"name": name.strip("{}"), "in": "path", "required": True}
    return {"name": name, "in": "query"}
