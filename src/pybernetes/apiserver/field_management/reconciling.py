"""Managers of a custom resource whose schema has changed since: what became atomic is owned as a whole. Pure.

Called before the managers of a stored object are held against what a write does to it.
"""

from __future__ import annotations

from dataclasses import replace

from pybernetes.api.kind import Kind
from pybernetes.apiserver.field_management.field_type import KEYED, LIST, MAP, SET, STRUCT, FieldType
from pybernetes.apiserver.field_management.fieldset import LEAF, Fields
from pybernetes.apiserver.field_management.kind_types import is_custom, type_of
from pybernetes.apiserver.field_management.managers import Managers, Owned
from pybernetes.apiserver.field_management.versions import at_version

_WHOLE = (STRUCT, MAP, LIST)


def reconciled(managers: Managers, kind: Kind) -> Managers:
    """The managers in terms of the schema as it is now; those of built-in kinds always are."""
    if not is_custom(kind):
        return managers
    return {who: _reconciled(owned, kind) for who, owned in managers.items()}


def _reconciled(owned: Owned, kind: Kind) -> Owned:
    version = at_version(kind, owned.api_version)
    return owned if version is None else replace(owned, fields=fitted(type_of(version), owned.fields))


def fitted(type_: FieldType, fields: Fields) -> Fields:
    """The set with each part that is owned as a whole in place of the fields below it. Free-form parts stay."""
    result: Fields = {}
    for element, node in fields.items():
        held = _held(type_, element)
        if not node or held is None:
            result[element] = node
        elif held.leaf and held.form in _WHOLE:
            result[element] = LEAF
        else:
            result[element] = fitted(held, node)
    return result


def _held(type_: FieldType, element: str) -> FieldType | None:
    """What is held under a path element; None where the type knows of no such."""
    if type_.form in (KEYED, SET):
        return type_.item if element[:2] in ("k:", "v:") else None
    if type_.form in (STRUCT, MAP) and element.startswith("f:"):
        found = type_.field(element[2:])
        return found[1] if found is not None else None
    return None
