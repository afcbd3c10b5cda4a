"""What the expressions of mutating policies may use besides: `Object{...}` and `JSONPatch{...}`. Pure.

Objects are made as an expression writes them: which fields there are is found out when the result is applied.
"""

from __future__ import annotations

from typing import Any

from pybernetes.cel import Environment, Library, types
from pybernetes.cel.types import Type
from pybernetes.cel.values import EvaluationError, Message

OBJECT = "Object"


class AnyFields(dict[str, Type]):
    """Fields of a type that nobody knows beforehand: all of them, and of any type."""

    def get(self, name: str, default: Any = None) -> Any:
        return types.DYN


class ObjectNames(dict[str, tuple[Type, Any]]):
    """The constants of an environment in which `Object`, `Object.spec` and all below are types."""

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(name)
        if found is None and (name == OBJECT or name.startswith(f"{OBJECT}.")):
            held = types.object_type(name, AnyFields())
            found = (types.type_of(held), held)
        return default if found is None else found


_PATCH = types.object_type(
    "JSONPatch", {"op": types.STRING, "path": types.STRING, "from": types.STRING, "value": types.DYN}
)
_LIBRARY = Library()
_LIBRARY.type_name("JSONPatch", _PATCH)


@_LIBRARY.function("jsonpatch.escapeKey(string) -> string")
def escape_key(name: str) -> str:
    """A key as part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def mutation_environment(base: Environment) -> Environment:
    """The environment of a mutating policy's own expressions."""
    found = base.extended({}, _LIBRARY)
    found.library.constants = ObjectNames(found.library.constants)
    return found


def mutation_types(patch_type: str) -> Type:
    """What an expression of a patch type must make."""
    return types.list_of(_PATCH) if patch_type == "JSONPatch" else types.object_type(OBJECT, {})


def plain(value: Any) -> Any:
    """What an expression made, as a JSON document."""
    if isinstance(value, dict):
        _check_names(value)
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    raise EvaluationError(f"unsupported type of value: {type(value).__name__}")


def _check_names(value: dict[Any, Any]) -> None:
    """A part of an object is where its type says that it is."""
    if not isinstance(value, Message) or not value.type_name.startswith(OBJECT):
        return
    for name, held in value.items():
        for item in held if isinstance(held, list) else [held]:
            if isinstance(item, Message) and item.type_name != f"{value.type_name}.{name}":
                expected = f'expected "{value.type_name}.{name}", which matches field name path from root Object type'
                raise EvaluationError(f'type mismatch: unexpected type name "{item.type_name}", {expected}')
