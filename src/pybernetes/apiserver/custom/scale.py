"""Where custom resources keep their replica count: at the paths that the definition names.

Paths are names with dots between them; upstream reads nothing else into them, not even brackets.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, copy
from pybernetes.apiserver.conversion import convert, storage_kind
from pybernetes.apiserver.custom.replicas import found, names_of
from pybernetes.apiserver.custom.rules import rules_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.scale import ReplicasPaths


class CustomReplicas:
    """Custom resources whose definition has the scale sub-resource; a `scale.Replicas`."""

    def paths(self, kind: Kind) -> ReplicasPaths:
        result: dict[str, tuple[str, ...] | None] = {}
        for version, row in rules_of(kind.type).versions.items():  # type: ignore[arg-type]
            scale = rules_of(row.type).scale  # type: ignore[arg-type]
            result[version] = tuple(f"f:{name}" for name in names_of(scale.spec_replicas_path)) if scale else None
        return result

    def place(self, kind: Kind) -> str:
        path: str = _scale(kind).spec_replicas_path
        return path

    def count(self, obj: ApiObject, kind: Kind) -> int | None:
        assert isinstance(obj, CustomObject)  # its kind has rules
        count: int | None = _held(obj.content, _scale(kind).spec_replicas_path, int)
        return count

    def status(self, obj: ApiObject, kind: Kind) -> tuple[int, str | None]:
        assert isinstance(obj, CustomObject)  # its kind has rules
        scale = _scale(kind)
        selector = _held(obj.content, scale.label_selector_path, str) if scale.label_selector_path else None
        return _held(obj.content, scale.status_replicas_path, int) or 0, selector

    def changed(self, entry: Entry, kind: Kind, count: int) -> ApiObject:
        new = copy(convert(entry.object, storage_kind(kind)))
        assert isinstance(new, CustomObject)  # its kind has rules
        _put(new.content, _scale(kind).spec_replicas_path, count)
        return new


def _scale(kind: Kind) -> Any:
    scale = rules_of(kind.type).scale  # type: ignore[arg-type]
    assert scale is not None  # the sub-resource is served
    return scale


def _held(content: dict[str, Any], path: str, type_: type) -> Any:
    """What stands at a path, if anything does; 500 for what is of another type, as upstream answers it."""
    value, problem = found(content, path, type_)
    if problem:
        raise status.internal_error(problem)
    return value


def _put(content: dict[str, Any], path: str, value: int) -> None:
    """Sets the value at a path of fields, making the objects on the way."""
    *way, last = names_of(path)
    for name in way:
        inner = content.get(name)
        if not isinstance(inner, dict):
            inner = content[name] = {}
        content = inner
    content[last] = value
