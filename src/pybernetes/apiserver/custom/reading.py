"""Bodies and documents of custom resources as objects: what `api.encoding` does for types that have structs.

Bytes or plain JSON go in; `Decoded` comes out, or `DecodeError` with the text of upstream's 400. Called by `bodies` and
`patching`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pybernetes.api import json_syntax, strictness
from pybernetes.api.encoding import Decoded, DecodeError, UnsupportedMediaType, unrecognized
from pybernetes.api.json_schema import TYPE_FIELDS
from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.apiserver.custom import numbers
from pybernetes.apiserver.custom.rules import rules_of, structured
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.api import yaml

_JSON = ("", "application/json")


def read(body: bytes, content_type: str, type_: type[CustomObject], *, strict: bool) -> Decoded[CustomObject]:
    """One object out of a body; DecodeError (400) or UnsupportedMediaType (415)."""
    media = content_type.partition(";")[0].strip().lower()
    lines: list[str] = []
    if media in _JSON:
        document = _json(body, type_)
        if strict:
            lines = strictness.duplicates(body)
    elif media == "application/yaml":
        document, lines = _yaml(body, type_, strict)
    else:
        raise UnsupportedMediaType
    if not isinstance(document, dict):
        raise unrecognized(type_, body, "couldn't get version/kind; json parse error: json: cannot unmarshal")
    _require_header(document, body, type_)
    return _decoded(document, type_, lines, strict)


def from_document(document: dict[str, Any], type_: type[CustomObject], *, strict: bool) -> Decoded[CustomObject]:
    """One object out of a patched document."""
    return _decoded(numbers.plain(document), type_, [], strict)


def _decoded(
    document: dict[str, Any], type_: type[CustomObject], lines: list[str], strict: bool
) -> Decoded[CustomObject]:
    rules = rules_of(type_)
    try:
        obj, unknown = structured(document, type_)
    except ValueError as error:
        text = f'{rules.kind} in version "{rules.version}" cannot be handled as a {rules.kind}: {error}'
        raise DecodeError(text, str(error)) from None
    return Decoded(obj, [*lines, *unknown] if strict else [])


def _json(body: bytes, type_: type[CustomObject]) -> Any:
    try:
        return numbers.decode(body)
    except msgspec.ValidationError as error:
        why = str(error).partition(" - at")[0]
        raise unrecognized(type_, body, f"couldn't get version/kind; json parse error: {why}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        syntax = json_syntax.syntax_error(body) or "exceeded max depth"
        raise unrecognized(type_, body, f"couldn't get version/kind; json parse error: {syntax}") from None


def _yaml(body: bytes, type_: type[CustomObject], strict: bool) -> tuple[Any, list[str]]:
    try:
        value, duplicates = yaml.load_reporting(body)
    except yaml.YamlError as error:
        raise unrecognized(type_, body, str(error)) from None
    if not (strict and duplicates):
        return numbers.plain(value), []
    return numbers.plain(value), [yaml.problem(duplicates)]


def _require_header(document: dict[str, Any], body: bytes, type_: type[CustomObject]) -> None:
    """An object of a custom resource must say what it is; its kind is validated later."""
    rules = rules_of(type_)
    shown = body.decode("utf-8", "replace")
    for name, word in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not isinstance(document.get(name), str) or not document[name]:
            raise unrecognized(type_, body, f"Object '{word}' is missing in '{shown}'")
    expected, given = f"{rules.group}/{rules.version}", document["apiVersion"]
    if given != expected:
        message = f"the API version in the data ({given}) does not match the expected API version ({expected})"
        raise DecodeError(message, strict=_complaints(document, rules.versions.get(given)))


def _complaints(document: dict[str, Any], sibling: Kind | None) -> list[str]:
    """What the version that a document says it is of does not know of it."""
    if sibling is None:
        return [f'unknown field "{name}"' for name in sorted(document) if name not in TYPE_FIELDS]
    type_: Any = sibling.type
    try:
        return structured(document, type_)[1]
    except ValueError:
        return []
