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

from pybernetes.api import json_schema, objects, strictness
from pybernetes.api.json_schema import EMBEDDED, VALIDATIONS, Schema
from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.types.apiextensions_v1 import CustomResourceSubresourceScale
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.custom import correlation, embedded, numbers
from pybernetes.apiserver.custom import schema as schemas
from pybernetes.apiserver.custom.demands import walk
from pybernetes.apiserver.custom.embedded import META
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.custom import expressions as cel
    from pybernetes.apiserver.printing import table


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
    printer: table.Printer
    # What every answer to a client of this version carries as a warning; empty for versions that are not deprecated.
    deprecation: str = ""
    # The fields that clients of this version may select by, and those of all versions: objects are stored as one.
    selectable: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    strategy: Strategy = field(default_factory=Strategy)
    stored: Any = None  # a Kind; set when all versions have their rows
    # The rows of the versions that are served, this one included, by apiVersion.
    versions: Mapping[str, Kind] = field(default_factory=dict)
    _compiled: list[cel.SchemaRules | None] = field(default_factory=list)

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
    def embeds(self) -> bool:
        """Whether there are objects inside of the objects."""
        return any(part.get(EMBEDDED) for part in walk(self.schema))

    @cached_property
    def is_closed(self) -> bool:
        """Whether the schema names all that there may be in an object."""
        return correlation.is_closed(self.schema)

    @property
    def expressions(self) -> cel.SchemaRules | None:
        """The rules in CEL, compiled when they are first needed; None when there are none."""
        # No cached property: many rules are compiled in a thread, and those have one lock for all objects.
        if not self._compiled:
            has_any = any(part.get(VALIDATIONS) for part in walk(self.schema))
            self._compiled.append(cel.schema_rules(self.schema) if has_any else None)
        return self._compiled[0]


def rules_of(type_: type[CustomObject]) -> VersionRules:
    """The rules of a type that `rows` made."""
    found: VersionRules = type_.rules
    return found


def structured(
    document: dict[str, Any], type_: type[CustomObject], *, is_stored: bool = False, has_defaults: bool = True
) -> tuple[CustomObject, list[str]]:
    """The object that a document is, and the lines about fields that nobody knows.

    The document's parts become the object's. `tolerance.TypeMismatch` for metadata that cannot be read, and ValueError
    for metadata of embedded objects; of what is stored malformed fields are dropped instead. Defaults are those of the
    version that a client sends and of the one that is stored, not of the one that is answered.
    """
    rules = rules_of(type_)
    metadata = document.pop("metadata", None) or {}
    lines = [line.replace(' "', ' "metadata.', 1) for line in _metadata_lines(metadata)]
    kind, api_version = document.pop("kind", ""), document.pop("apiVersion", "")
    if not is_stored and rules.embeds and (problem := embedded.metadata_problem(document, rules.content)):
        raise ValueError(str(problem))
    if has_defaults:
        schemas.drop_nulls(document, rules.content)
        schemas.default(document, rules.content)
    lines += [f'unknown field "{path}"' for path in sorted(schemas.prune(document, rules.content))]
    if rules.embeds:
        cleaned = embedded.cleaned(document, rules.content, drop_malformed=is_stored)
        lines += [f'unknown field "{path}"' for path in cleaned]
    return type_(kind=kind, api_version=api_version, metadata=_typed(metadata, is_stored), content=document), lines


def _metadata_lines(metadata: Any) -> list[str]:
    return strictness.of_value(metadata, META) if isinstance(metadata, dict) else []


def _typed(metadata: Any, is_stored: bool) -> ObjectMeta:
    return embedded.typed_metadata(embedded.well_formed(metadata) if is_stored else metadata)


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
        rules = rules_of(self._type)
        obj, _lines = structured(numbers.decode(value), self._type, is_stored=True)
        obj.metadata.generation = obj.metadata.generation or 1
        obj.kind, obj.api_version = rules.kind, f"{rules.group}/{rules.version}"
        written = objects.encode(obj)
        return value if written == value else written


def converted(obj: CustomObject, kind: Kind) -> CustomObject:
    """The object in another version; what that version does not know is lost."""
    type_: Any = kind.type
    document = objects.to_builtins(obj)
    is_stored = rules_of(type_).stored is kind
    result, _lines = structured(document, type_, is_stored=True, has_defaults=is_stored)
    result.kind, result.api_version = obj.kind, kind.api_version
    # A client's object obeys the rules of the version that the client speaks.
    result.spoken = type(obj) if is_stored else None
    return result
