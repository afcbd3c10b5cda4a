"""Custom resources in the OpenAPI documents: their paths and their schemas, as upstream publishes them. Pure.

Rows of kinds go in; `Path`s and definitions by name come out, which `openapi.version2` and `version3` write among those
of built-in kinds. `kubectl explain` and client-side validation read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.apiserver.custom.published_schemas import ANYTHING, CONVENTIONS, Reference, metadata, reduced, whole
from pybernetes.apiserver.custom.rules import VersionRules
from pybernetes.apiserver.openapi.descriptions import describe
from pybernetes.apiserver.openapi.operations import (
    DELETE_OPTIONS,
    DELETE_PARAMETERS,
    JSON,
    LIST_PARAMETERS,
    PATCH,
    SELECT_PARAMETERS,
    STATUS,
    WRITE_PARAMETERS,
    YAML,
    Operation,
    Path,
    group_word,
    tag_of,
)

Definitions = dict[str, dict[str, Any]]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_MEDIA = (JSON, YAML)
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_GVK = "x-kubernetes-group-version-kind"


def is_custom(kind: Kind) -> bool:
    return issubclass(kind.type, CustomObject)


def definition_name(kind: Kind) -> str:
    """`com.example.v1.Widget`: the group's domain turned around, as packages are named."""
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.name])


def paths(kinds: Iterable[Kind]) -> list[Path]:
    """All paths of some custom kinds."""
    return [path for kind in kinds for path in _Paths(kind).all()]


class _Paths:
    """The paths of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._gvk = (kind.group, kind.version, kind.name)
        self._definition = definition_name(kind)
        self._prefix = group_word(kind.group) + kind.version.capitalize()
        self._word = ("Namespaced" if kind.namespaced else "") + kind.name
        self._inside = ("namespace",) if kind.namespaced else ()

    def all(self) -> Iterator[Path]:
        kind = self._kind
        space = "/namespaces/{namespace}" if kind.namespaced else ""
        collection = f"{kind.path_prefix}{space}/{kind.resource}"
        if kind.namespaced:
            everywhere = [self._list(f"{kind.name}ForAllNamespaces")]
            yield self._path(f"{kind.path_prefix}/{kind.resource}", everywhere, ())
        yield self._path(collection, [self._list(self._word), self._create(), self._delete_all()], self._inside)
        named = (*self._inside, "name")
        own = [*self._parts(self._word, self._definition, self._gvk), self._delete()]
        yield self._path(collection + "/{name}", own, named)
        for child in kind.subresources:
            definition = _SCALE if child.name == "scale" else self._definition
            parts = self._parts(self._word + child.name.capitalize(), definition, child.body or self._gvk)
            yield self._path(f"{collection}/{{name}}/{child.name}", parts, named)

    def _path(self, path: str, operations: list[Operation], inside: tuple[str, ...]) -> Path:
        tag = tag_of(self._kind.group, self._kind.version)
        return Path(path, tag, tuple(operations), (*inside, "pretty"), self._kind.name)

    def _list(self, word: str) -> Operation:
        name, result = f"list{self._prefix}{word}", _list_name(self._kind)
        return Operation("get", name, "list", self._gvk, result, produces=_MEDIA, parameters=LIST_PARAMETERS)

    def _create(self) -> Operation:
        return Operation(
            "post",
            f"create{self._prefix}{self._word}",
            "post",
            self._gvk,
            self._definition,
            self._definition,
            consumes=_MEDIA,
            produces=_MEDIA,
            codes=(200, 201, 202),
            parameters=WRITE_PARAMETERS,
        )

    def _parts(self, word: str, definition: str, gvk: tuple[str, str, str]) -> list[Operation]:
        """Get, update and patch."""
        read = Operation("get", f"read{self._prefix}{word}", "get", gvk, definition, produces=_MEDIA)
        replace = Operation(
            "put",
            f"replace{self._prefix}{word}",
            "put",
            gvk,
            definition,
            definition,
            consumes=_MEDIA,
            produces=_MEDIA,
            codes=(200, 201),
            parameters=WRITE_PARAMETERS,
        )
        patch = Operation(
            "patch",
            f"patch{self._prefix}{word}",
            "patch",
            gvk,
            definition,
            PATCH,
            consumes=_PATCHES,
            produces=_MEDIA,
            parameters=(*WRITE_PARAMETERS, "force"),
        )
        return [read, replace, patch]

    def _delete(self) -> Operation:
        return self._deletion(f"delete{self._prefix}{self._word}", "delete", (200, 202), DELETE_PARAMETERS)

    def _delete_all(self) -> Operation:
        name = f"delete{self._prefix}Collection{self._word}"
        return self._deletion(name, "deletecollection", (200,), (*DELETE_PARAMETERS, *SELECT_PARAMETERS))

    def _deletion(self, name: str, action: str, codes: tuple[int, ...], parameters: tuple[str, ...]) -> Operation:
        return Operation(
            "delete",
            name,
            action,
            self._gvk,
            STATUS,
            body=DELETE_OPTIONS,
            body_required=False,
            consumes=_MEDIA,
            produces=_MEDIA,
            codes=codes,
            parameters=parameters,
        )


def _list_name(kind: Kind) -> str:
    return definition_name(kind).rpartition(".")[0] + "." + kind.list_name


def version3(kinds: Iterable[Kind]) -> Definitions:
    """The definitions of some kinds and of their lists, whole."""

    def reference(name: str, description: str) -> dict[str, Any]:
        # Nothing may stand beside a reference.
        return {"description": description, "allOf": [{"$ref": f"#/components/schemas/{name}"}]}

    return _definitions(kinds, reference, whole, "#/components/schemas/")


def version2(kinds: Iterable[Kind]) -> Definitions:
    """The definitions in version 2, without what that version (or old kubectls reading it) cannot say."""

    def reference(name: str, description: str) -> dict[str, Any]:
        return {"description": description, "$ref": f"#/definitions/{name}"}

    return _definitions(kinds, reference, reduced, "#/definitions/")


def _definitions(
    kinds: Iterable[Kind],
    reference: Reference,
    written: Callable[[dict[str, Any], Reference], dict[str, Any]],
    prefix: str,
) -> Definitions:
    found: Definitions = {}
    for kind in kinds:
        rules: VersionRules = kind.type.rules  # type: ignore[attr-defined]
        name = definition_name(kind)
        found[name] = _object(kind, written(dict(rules.schema), reference), reference)
        found[_list_name(kind)] = _list(kind, {"$ref": prefix + name}, reference)
    return found


def _object(kind: Kind, schema: dict[str, Any], reference: Reference) -> dict[str, Any]:
    about = describe("io.k8s.api.core.v1.Pod").fields
    if schema != ANYTHING:
        own = {name: held for name, held in (schema.get("properties") or {}).items() if name != "metadata"}
        head = {name: {"type": "string", "description": about.get(name, "")} for name in ("apiVersion", "kind")}
        schema["properties"] = {**own, **head, "metadata": metadata(reference)}
    schema[_GVK] = [{"group": kind.group, "kind": kind.name, "version": kind.version}]
    rules: VersionRules = kind.type.rules  # type: ignore[attr-defined]
    if rules.selectable:
        schema["x-kubernetes-selectable-fields"] = [{"fieldPath": path} for path in rules.selectable]
    return schema


def _list(kind: Kind, item: dict[str, Any], reference: Reference) -> dict[str, Any]:
    about = describe("io.k8s.api.core.v1.Pod").fields
    described = f"Standard list metadata. More info: {CONVENTIONS}#types-kinds"
    items = f"List of {kind.resource}. More info: {CONVENTIONS}"
    return {
        "description": f"{kind.list_name} is a list of {kind.name}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"description": about.get("apiVersion", ""), "type": "string"},
            "items": {"description": items, "type": "array", "items": item},
            "kind": {"description": about.get("kind", ""), "type": "string"},
            "metadata": reference(_META + "ListMeta", described),
        },
        _GVK: [{"group": kind.group, "kind": kind.list_name, "version": kind.version}],
    }
