"""The 409 of an apply that would change what others own, in upstream's words. Pure."""

from __future__ import annotations

import json

from pybernetes.api import status
from pybernetes.api.types.meta_v1 import StatusCause, StatusDetails
from pybernetes.apiserver.field_management.fieldset import Fields, paths
from pybernetes.apiserver.field_management.managers import Identity


class Conflicts(Exception):
    """Fields that an applier wants to change, by the manager that owns them."""

    def __init__(self, fields: dict[Identity, Fields]) -> None:
        super().__init__("conflicts")
        self.fields = fields

    def error(self) -> status.StatusError:
        """The answer to the client."""
        found = [(str(who), path) for who in sorted(self.fields, key=_order) for path in paths(self.fields[who])]
        causes = [
            StatusCause(reason="FieldManagerConflict", message=f"conflict with {who}", field=path)
            for who, path in found
        ]
        return status.failure(409, "Conflict", _message(found), StatusDetails(causes=causes))


def _order(who: Identity) -> str:
    return json.dumps(who)


def _message(found: list[tuple[str, str]]) -> str:
    if len(found) == 1:
        who, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {who}: {path}"
    lines: list[str] = []
    for name in dict.fromkeys(who for who, _path in found):
        lines.append(f"conflicts with {name}:")
        lines += [f"- {path}" for who, path in found if who == name]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
