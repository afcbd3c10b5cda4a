"""The field type and the empty document of each kind, made once.

Built-in kinds are found by their structs; a version of a custom resource brings its structural schema along.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from pybernetes.api import schema
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, to_builtins
from pybernetes.apiserver.field_management.field_type import FieldType, of_json_schema, of_type

# A definition that changes has new types, so that the old ones go with it.
_custom: WeakKeyDictionary[type[ApiObject], FieldType] = WeakKeyDictionary()


def is_custom(kind: Kind) -> bool:
    """Whether a CustomResourceDefinition made the kind."""
    return issubclass(kind.type, CustomObject)


def type_of(kind: Kind) -> FieldType:
    """The type of a kind's objects."""
    if not issubclass(kind.type, CustomObject):
        return of_type(kind.type)
    found = _custom.get(kind.type)
    if found is None:
        found = _custom[kind.type] = of_json_schema(kind.type.rules.schema)
    return found


def empty_document(kind: Kind) -> dict[str, Any]:
    """What Go's zero value of a kind looks like as JSON: the parts that are there before anyone has set anything."""
    return {"metadata": {}} if is_custom(kind) else _empty(kind)


@cache
def _empty(kind: Kind) -> dict[str, Any]:
    document = to_builtins(kind.type())
    _complete(document, schema.definition_of(kind.type))
    return document


_ZERO = {"string": "", "int32": 0, "int64": 0, "bool": False}
# Where Go's tags and the schema's `required` say different things: written always, or only when set.
_WRITTEN = {"serviceName", "reportingComponent", "reportingInstance", "value"}
_LEFT_OUT = {"validationActions"}


def _complete(document: dict[str, Any], definition: str) -> None:
    """Makes of the empty object what Go makes of it: required fields are always written, null or zero."""
    needed = schema.required(definition)
    for name, node in schema.fields(definition).items():
        value = document.get(name)
        if node.type == "struct":
            if isinstance(value, dict):
                _complete(value, node.definition)
        elif name in _LEFT_OUT:
            document.pop(name, None)
        elif value is None and (name in needed or name in _WRITTEN):
            document[name] = _ZERO.get(node.type)
