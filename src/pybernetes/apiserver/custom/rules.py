"""What the API server knows of one version of a custom resource, hung on the version's type as `rules`.

Documents (plain JSON) go in and become objects that obey the version's schema: defaulted, pruned, metadata typed; the
same for what the store holds and for objects of another version. Called by `reading`, `entry.Form` and `conversion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from pybernetes.api import json_schema, objects, scalars, strictness, tolerance
from pybernetes.api.json_schema import EMBEDDED, Schema, child, items, joined
from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.types.apiextensions_v1 import CustomResourceSubresourceScale
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.custom import schema as schemas
from pybernetes.apiserver.custom.expressions import SchemaRules, schema_rules
from pybernetes.apiserver.printing.table import Printer
from pybernetes.apiserver.resources.strategy import Strategy

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@dataclass(eq=False)
class VersionRules:
    """One version. `stored` is the row of the version that objects are stored as, the same for all versions."""

    group: str
    version: str
    kind: str
    namespaced: bool
    schema: Schema
    has_status: bool
    scale: CustomResourceSubresourceScale | None
    printer: Printer
    # What every answer to a client of this version carries as a warning; empty for versions that are not deprecated.
    deprecation: str = ""
    # The fields that clients of this version may select by, and those of all versions: objects are stored as one.
    selectable: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    strategy: Strategy = field(default_factory=Strategy)
    stored: Any = None  # a Kind; set when all versions have their rows
    # The rows of the versions that are served, this one included, by apiVersion.
    versions: Mapping[str, Kind] = field(default_factory=dict)

    @cached_property
    def content(self) -> Schema:
        """The schema of what is not kind, apiVersion and metadata."""
        own = {
            name: held
            for name, held in json_schema.properties(self.schema).items()
            if name not in json_schema.TYPE_FIELDS
        }
        return {**self.schema, "properties": own}

    @cached_property
    def expressions(self) -> SchemaRules | None:
        """The rules in CEL, compiled when they are first needed; None when there are none."""
        return schema_rules(self.schema)


def rules_of(type_: type[CustomObject]) -> VersionRules:
    """The rules of a type that `rows` made."""
    found: VersionRules = type_.rules
    return found


def structured(document: dict[str, Any], type_: type[CustomObject]) -> tuple[CustomObject, list[str]]:
    """The object that a document is, and the lines about fields that nobody knows.

    The document's parts become the object's. `tolerance.TypeMismatch` for metadata that cannot be read.
    """
    rules = rules_of(type_)
    metadata = document.pop("metadata", None) or {}
    lines = [line.replace(' "', ' "metadata.', 1) for line in _metadata_lines(metadata)]
    kind, api_version = document.pop("kind", ""), document.pop("apiVersion", "")
    schemas.default(document, rules.content)
    schemas.drop_nulls(document, rules.content)
    lines += [f'unknown field "{path}"' for path in sorted(schemas.prune(document, rules.content))]
    lines += [f'unknown field "{path}"' for path in _prune_embedded(document, rules.content, "")]
    return type_(kind=kind, api_version=api_version, metadata=_typed(metadata), content=document), lines


def _metadata_lines(metadata: Any) -> list[str]:
    return strictness.of_value(metadata, META) if isinstance(metadata, dict) else []


def _typed(metadata: Any) -> ObjectMeta:
    typed = msgspec.convert(tolerance.cleaned(metadata, META), ObjectMeta)
    scalars.normalize(typed)
    return typed


def _prune_embedded(value: Any, schema: Schema | None, path: str) -> list[str]:
    """Cleans the metadata of embedded objects; the paths of what metadata does not have."""
    if schema is None:
        return []
    found: list[str] = []
    if isinstance(value, dict):
        if schema.get(EMBEDDED) and isinstance(value.get("metadata"), dict):
            lines = strictness.of_value(value["metadata"], META)
            found += [joined(path, f"metadata.{line.split(chr(34))[1]}") for line in lines]
            value["metadata"] = _cleaned_metadata(value["metadata"])
        for name, held in value.items():
            found += _prune_embedded(held, child(schema, name), joined(path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _prune_embedded(item, items(schema), f"{path}[{index}]")
    return found


def _cleaned_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    try:
        return tolerance.cleaned(metadata, META)
    except tolerance.TypeMismatch:
        # Validation will have more to say of it than "wrong".
        return metadata


class Decoder:
    """Reads stored bytes as objects of one type; stands in for msgspec's decoder in `entry.Form`."""

    def __init__(self, type_: type[CustomObject]) -> None:
        self._type = type_

    def decode(self, value: bytes) -> CustomObject:
        """The object; the bytes are in the stored version already."""
        document = msgspec.json.decode(value)
        kind, version = document.pop("kind"), document.pop("apiVersion")
        metadata = msgspec.convert(document.pop("metadata"), ObjectMeta)
        return self._type(kind=kind, api_version=version, metadata=metadata, content=document)

    def restored(self, value: bytes) -> bytes:
        """What the store holds, as the present schema and stored version want it: the bytes themselves mostly."""
        document = msgspec.json.decode(value)
        rules = rules_of(self._type)
        try:
            obj, _lines = structured(document, self._type)
        except tolerance.TypeMismatch:
            return value
        obj.kind, obj.api_version = rules.kind, f"{rules.group}/{rules.version}"
        written = objects.encode(obj)
        return value if written == value else written


def converted(obj: CustomObject, kind: Kind) -> CustomObject:
    """The object in another version; what that version does not know is lost."""
    type_: Any = kind.type
    document = objects.to_builtins(obj)
    result, _lines = structured(document, type_)
    result.kind, result.api_version = obj.kind, kind.api_version
    # A client's object obeys the rules of the version that the client speaks.
    result.spoken = type(obj) if rules_of(type_).stored is kind else None
    return result
