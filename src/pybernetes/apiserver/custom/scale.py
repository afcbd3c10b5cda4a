"""Where custom resources keep their replica count: at the paths that the definition names."""

from __future__ import annotations

from typing import Any

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, copy
from pybernetes.apiserver.conversion import convert, storage_kind
from pybernetes.apiserver.custom.json_path import first, keys, parse
from pybernetes.apiserver.custom.rules import rules_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.scale import ReplicasPaths


class CustomReplicas:
    """Custom resources whose definition has the scale sub-resource; a `scale.Replicas`."""

    def paths(self, kind: Kind) -> ReplicasPaths:
        result: dict[str, tuple[str, ...] | None] = {}
        for version, row in rules_of(kind.type).versions.items():  # type: ignore[arg-type]
            scale = rules_of(row.type).scale  # type: ignore[arg-type]
            names = keys(parse(scale.spec_replicas_path)) if scale is not None else None
            result[version] = tuple(f"f:{name}" for name in names) if names else None
        return result

    def count(self, obj: ApiObject, kind: Kind) -> int | None:
        assert isinstance(obj, CustomObject)  # its kind has rules
        path = _scale(kind).spec_replicas_path
        found: int | None = first(obj.content, parse(path))
        return found

    def status(self, obj: ApiObject, kind: Kind) -> tuple[int, str | None]:
        assert isinstance(obj, CustomObject)  # its kind has rules
        scale = _scale(kind)
        if self.count(obj, kind) is None:
            message = f"the spec replicas field {scale.spec_replicas_path!r} does not exist".replace("'", '"')
            raise status.internal_error(message)
        selector = first(obj.content, parse(scale.label_selector_path)) if scale.label_selector_path else None
        return first(obj.content, parse(scale.status_replicas_path)) or 0, selector

    def changed(self, entry: Entry, kind: Kind, count: int) -> ApiObject:
        new = copy(convert(entry.object, storage_kind(kind)))
        assert isinstance(new, CustomObject)  # its kind has rules
        _put(new.content, _scale(kind).spec_replicas_path, count)
        return new


def _scale(kind: Kind) -> Any:
    scale = rules_of(kind.type).scale  # type: ignore[arg-type]
    assert scale is not None  # the sub-resource is served
    return scale


def _put(content: dict[str, Any], path: str, value: int) -> None:
    """Sets the value at a path of fields, making the objects on the way."""
    *way, last = keys(parse(path)) or ("",)
    for name in way:
        inner = content.get(name)
        if not isinstance(inner, dict):
            inner = content[name] = {}
        content = inner
    content[last] = value
