"""The place of `x-kubernetes-validations`: rules in CEL that a schema's author wrote for its values.

A schema and the new and old document go in; what the rules have against the new one comes out. There is no CEL here
yet: nothing is refused, and everything around it (order, blocking errors, transition rules' old value) is in place.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api.status import FieldError
from pybernetes.apiserver.custom.schema import Schema


def expression_errors(_schema: Schema, _new: dict[str, Any], _old: dict[str, Any] | None) -> list[FieldError]:
    """What the rules of a schema and of its parts say; `_old` is None on create."""
    return []
