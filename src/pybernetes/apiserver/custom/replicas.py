"""What stands where a definition says that replicas are counted, and whether it is a count. Pure.

The content of an object and the paths of its scale sub-resource go in, what is wrong comes out in upstream's words.
Called by `strategy`, and by `scale` to read the counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pybernetes.api.go_text import shown
from pybernetes.api.status import FieldError, invalid
from pybernetes.api.types.apiextensions_v1 import CustomResourceSubresourceScale

_MOST = 2**31 - 1
_GO_TYPES = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    list: "[]interface {}",
    dict: "map[string]interface {}",
    type(None): "<nil>",
}
_MISSING = object()


def spec_errors(content: dict[str, Any], scale: CustomResourceSubresourceScale) -> Iterator[FieldError]:
    """What is wrong with how many replicas are wanted."""
    return _count_errors(content, scale.spec_replicas_path)


def status_errors(content: dict[str, Any], scale: CustomResourceSubresourceScale) -> Iterator[FieldError]:
    """What is wrong with how many replicas there are, and with the selector that finds them."""
    yield from _count_errors(content, scale.status_replicas_path)
    if scale.label_selector_path:
        path = scale.label_selector_path
        _text, problem = found(content, path, str)
        if problem:
            yield invalid(path, "", problem)


def _count_errors(content: dict[str, Any], path: str) -> Iterator[FieldError]:
    count, problem = found(content, path, int)
    if problem:
        yield invalid(path, 0, problem)
    elif count is not None and count < 0:
        yield invalid(path, count, "should be a non-negative integer")
    elif count is not None and count > _MOST:
        yield invalid(path, count, f"should be less than or equal to {_MOST}")


def names_of(path: str) -> list[str]:
    """The fields on the way of a path."""
    return path.removeprefix(".").split(".")


def found(content: dict[str, Any], path: str, type_: type) -> tuple[Any, str]:
    """What stands at a path, if anything does, and what is wrong with that."""
    value: Any = content
    names = names_of(path)
    for index, name in enumerate(names):
        if value is None:
            return None, ""
        if not isinstance(value, dict):
            return None, _problem(value, names[: index + 1], dict)
        value = value.get(name, _MISSING)
        if value is _MISSING:
            return None, ""
    return (value, "") if type(value) is type_ else (None, _problem(value, names, type_))


def _problem(value: Any, names: list[str], wanted: type) -> str:
    where = f".{'.'.join(names)}"
    found, expected = _GO_TYPES[type(value)], _GO_TYPES[wanted]
    return f"{where} accessor error: {shown(value)} is of the type {found}, expected {expected}"
