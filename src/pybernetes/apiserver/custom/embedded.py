"""What objects inside of objects must have: a kind, an apiVersion and, if any, metadata that is metadata. Pure.

A value and its schema go in; what is wrong comes out in upstream's words, or the value is cleaned in place. Called when
a custom resource is read and validated, and for the defaults of schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from pybernetes.api import scalars, strictness, tolerance
from pybernetes.api.json_schema import EMBEDDED, Schema, child, items, joined, properties
from pybernetes.api.names import dns1035_label, path_segment_name
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.resources.validation.metadata import validate_metadata

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_HEADER = ("apiVersion", "kind")
_MIXED = "may have mixed case, but should otherwise match: "


def typed_metadata(metadata: Any) -> ObjectMeta:
    """Metadata out of plain JSON; `tolerance.TypeMismatch` for what is none."""
    typed = msgspec.convert(tolerance.cleaned({} if metadata is None else metadata, META), ObjectMeta)
    scalars.normalize(typed)
    return typed


def _visited(
    value: Any, schema: Schema | None, path: str, visit: Callable[[dict[str, Any], str], Iterator[FieldError]]
) -> Iterator[FieldError]:
    """What `visit` says of every embedded object."""
    if schema is None:
        return
    if isinstance(value, dict):
        if schema.get(EMBEDDED):
            yield from visit(value, path)
        for name, held in value.items():
            place = joined(path, name) if name in properties(schema) else f"{path}[{name}]"
            yield from _visited(held, child(schema, name), place, visit)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _visited(item, items(schema), f"{path}[{index}]", visit)


def embedded_errors(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """What is wrong with kind, apiVersion and metadata of embedded objects."""
    return _visited(value, schema, path, _object_errors)


def _object_errors(value: dict[str, Any], path: str) -> Iterator[FieldError]:
    for name in _HEADER:
        if name not in value:
            yield required(joined(path, name))
    for name in _HEADER:
        if name in value:
            yield from _header_errors(value[name], name, joined(path, name))
    if "metadata" in value:
        yield from _metadata_errors(value["metadata"], joined(path, "metadata"))


def _header_errors(value: Any, name: str, path: str) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield invalid(path, value, "must be a string")
    elif not value:
        yield required(path)
    elif name == "apiVersion":
        if value.count("/") > 1:
            yield invalid(path, value, f"unexpected GroupVersion string: {value}")
    elif problems := dns1035_label(value.lower()):
        yield invalid(path, value, _MIXED + ",".join(problems))


def _metadata_errors(value: Any, path: str) -> Iterator[FieldError]:
    try:
        metadata = typed_metadata(value)
    except tolerance.TypeMismatch as error:
        yield invalid(path, value, str(error))
        return
    # A name is not asked for.
    metadata.name = metadata.name or "fakename"
    namespaced = bool(metadata.namespace)
    yield from validate_metadata(metadata, namespaced=namespaced, rule=path_segment_name, path=path, any_finalizer=True)


def metadata_problem(value: Any, schema: Schema, path: str = "") -> FieldError | None:
    """The first thing of a wrong type in what embedded objects have as all objects do."""
    return next(_visited(value, schema, path, _type_errors), None)


def _type_errors(value: dict[str, Any], path: str) -> Iterator[FieldError]:
    for name in _HEADER:
        if name in value and not isinstance(value[name], str):
            yield invalid(joined(path, name), value[name], "must be a string")
    if "metadata" in value:
        try:
            typed_metadata(value["metadata"])
        except tolerance.TypeMismatch as error:
            yield invalid(joined(path, "metadata"), value["metadata"], str(error))


def cleaned(value: Any, schema: Schema, *, drop_malformed: bool = False) -> list[str]:
    """Cleans embedded metadata in place; the paths of the fields that metadata does not have.

    What is of a wrong type is dropped from what is stored; what a client sends is looked at beforehand.
    """
    found: list[str] = []

    def clean(held: dict[str, Any], path: str) -> Iterator[FieldError]:
        if drop_malformed:
            _drop_malformed(held)
        if "metadata" in held:
            place = joined(path, "metadata")
            lines = strictness.of_value(held["metadata"] or {}, META)
            found.extend(f"{place}.{line.split(chr(34))[1]}" for line in lines)
            held["metadata"] = msgspec.to_builtins(typed_metadata(held["metadata"]))
        return iter(())

    list(_visited(value, schema, "", clean))
    return found


def _drop_malformed(value: dict[str, Any]) -> None:
    for name in _HEADER:
        if name in value and not isinstance(value[name], str):
            del value[name]
    if "metadata" in value:
        value["metadata"] = well_formed(value["metadata"])


def well_formed(metadata: Any) -> dict[str, Any]:
    """The fields of metadata that are of the right type."""
    held = metadata.items() if isinstance(metadata, dict) else ()
    return {name: value for name, value in held if _is_well_formed(name, value)}


def _is_well_formed(name: str, value: Any) -> bool:
    try:
        tolerance.cleaned({name: value}, META)
    except tolerance.TypeMismatch:
        return False
    return True
