"""Patches: what a PATCH body makes of a stored object, with upstream's errors. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from pybernetes.api import json_patch, merge_patch, schema, status, strategic_merge, strictness
from pybernetes.api.encoding import SCHEME, Decoded, DecodeError, decode_value, from_value
from pybernetes.api.go_text import json_kind
from pybernetes.api.kind import Kind
from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import ApiObject, CustomObject, to_builtins
from pybernetes.api.schema import definition_of
from pybernetes.api.types.meta_v1 import StatusCause, StatusDetails
from pybernetes.api.wire import Request
from pybernetes.apiserver.bodies import report_strict
from pybernetes.apiserver.custom.reading import from_document
from pybernetes.apiserver.field_management.tracking import mark_reset

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_ACCEPTED = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
# There is no strategy for merging what has no struct.
_ACCEPTED_FOR_CUSTOM = (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)
_OPERATIONS_MAX = 10_000
_OBJECT = "map[string]interface {}"

_MISMATCH = re.compile(
    r"json: cannot unmarshal (?P<held>\w+) into Go (?:struct field \S+|value) of type (?P<wanted>\S+)"
)
Document = dict[str, Any]


class Patch:
    """The body of a PATCH, read once and not before there is an object to patch: what is missing is always a 404."""

    def __init__(self, media: str, body: bytes, type_: type[ApiObject], mode: str) -> None:
        self._media = media
        self._bytes = body
        self._type = type_
        # The field validation mode: upstream reads twice where it has to look for problems.
        self._looks = mode != "Ignore"

    def __call__(self, document: Document) -> Document:
        """The patched document; 400, 413 or 422 for a patch that makes no sense."""
        body = self.body
        if self._media == JSON_PATCH:
            return _operated(document, body)
        if self._media == STRATEGIC_PATCH:
            return _strategic(document, body or {}, self._type)
        if not isinstance(body, dict | list):
            raise status.bad_request("Invalid JSON Patch")
        return _object(merge_patch.apply(document, body))

    @property
    def is_strategic(self) -> bool:
        """Whether errors show the patch instead of its result."""
        return self._media == STRATEGIC_PATCH

    @cached_property
    def body(self) -> Any:
        """The patch itself; 400 when it is no JSON, or no patch."""
        prefix = "error decoding patch: " if self._looks and not self.is_strategic else ""
        try:
            body = decode_value(self._bytes)
        except DecodeError as error:
            raise status.bad_request(f"{prefix}{error}") from error
        if mismatch := self._mismatch(body):
            raise status.bad_request(f"{prefix}json: cannot unmarshal {mismatch}")
        return body

    @cached_property
    def problems(self) -> list[str]:
        """What field validation has to say of the patch itself."""
        if not self._looks:
            return []
        if self._media == JSON_PATCH:
            return [f"json patch {line}" for line in strictness.of_operations(self._bytes)]
        return strictness.duplicates(self._bytes)

    def _mismatch(self, body: Any) -> str:
        if body is None:
            return ""
        if self._media == JSON_PATCH:
            return _no_operations(body, self._looks)
        if isinstance(body, dict) or (self._media == MERGE_PATCH and not self._looks):
            return ""
        return f"{json_kind(body)} into Go value of type {_OBJECT}"


def patch_of(request: Request, type_: type[ApiObject], validation: str) -> Patch:
    """The request's patch, for a mode of field validation; 415 for one of a sort that the type does not take."""
    return Patch(accepted_media(request, type_), request.body, type_, validation)


def accepted_media(request: Request, type_: type[ApiObject]) -> str:
    """The sort of a patch; 415 for one that objects of a type do not take."""
    media = request.headers.get("content-type", "").split(";")[0].strip()
    accepts = _ACCEPTED_FOR_CUSTOM if issubclass(type_, CustomObject) else _ACCEPTED
    if media not in accepts:
        accepted = ", ".join(accepts)
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise status.failure(415, "UnsupportedMediaType", message)
    return media


_WORDS = ("op", "path", "from")


def _no_operations(body: Any, looks: bool) -> str:
    """Why a value is no list of operations: with the types of upstream's own reader, or of its library's."""
    types = ("[]handlers.jsonPatchOp", "handlers.jsonPatchOp") if looks else ("jsonpatch.Patch", "jsonpatch.Operation")
    if not isinstance(body, list):
        return f"{json_kind(body)} into Go value of type {types[0]}"
    for operation in body:
        if not isinstance(operation, dict):
            if operation is not None:
                return f"{json_kind(operation)} into Go value of type {types[1]}"
            continue
        for word in _WORDS if looks else ():
            held = operation.get(word)
            if held is not None and not isinstance(held, str):
                return f"{json_kind(held)} into Go struct field jsonPatchOp.{word} of type string"
    return ""


def _operated(document: Document, operations: list[Any] | None) -> Document:
    if operations is not None and len(operations) > _OPERATIONS_MAX:
        raise status.failure(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is {_OPERATIONS_MAX}, "
            f"got {len(operations)}",
        )
    try:
        return _object(json_patch.apply(document, operations or []))
    except json_patch.PatchError as error:
        raise _rejected() from error


def _rejected() -> status.StatusError:
    message = "the server rejected our request due to an error in our request"
    return status.failure(422, "Invalid", message, StatusDetails())


def _object(document: Any) -> Document:
    if not isinstance(document, dict):
        raise _rejected()
    return document


def _strategic(document: Document, patch: Document, type_: type[ApiObject]) -> Document:
    try:
        merged = strategic_merge.apply(document, patch, definition_of(type_))
    except strategic_merge.SchemaError as error:
        if error.code == 422:
            raise _rejected() from error
        reason = "BadRequest" if error.code == 400 else ""
        raise status.failure(error.code, reason, str(error)) from error
    # Upstream merges into a struct that knows what it is, whatever the patch says.
    return {**merged, "kind": document["kind"], "apiVersion": document["apiVersion"]}


@dataclass(frozen=True)
class Validation:
    """How unknown and duplicate fields are told."""

    mode: str
    warn: Callable[[str], None]


def patched(served: ApiObject, patch: Patch, kind: Kind, validation: Validation) -> ApiObject:
    """The patched form of an object, typed again; 422 when the result does not fit the type."""
    document = patch(to_builtins(served))

    def unfit(why: str) -> status.StatusError:
        if patch.is_strategic:
            return _unfit(go_text(patch.body), _restoring(why))
        return _unfit(_encoded(document, kind.type), why)

    strict = validation.mode != "Ignore"
    try:
        if issubclass(kind.type, CustomObject):
            decoded: Decoded[Any] = from_document(document, kind.type, strict=strict)
        else:
            decoded = from_value(document, kind.type, strict=strict)
    except DecodeError as error:
        raise unfit(error.detail or str(error)) from error
    if not issubclass(kind.type, CustomObject) and (why := _another_kind(decoded.object, kind)):
        raise unfit(why)
    problems = [*patch.problems, *_unknown(patch, document, kind.type, decoded.strict)]
    if problems and validation.mode == "Strict":
        raise unfit(f"strict decoding error: {', '.join(problems)}")
    report_strict(problems, validation.mode, validation.warn, kind.type)
    mark_reset(document, decoded.object)
    obj: ApiObject = decoded.object
    return obj


def _unknown(patch: Patch, document: Document, type_: type[ApiObject], found: list[str]) -> list[str]:
    """The fields that a patched document has too many: by name, since upstream's patches go through sorted maps."""
    if not found or patch.is_strategic or issubclass(type_, CustomObject):
        return found
    return strictness.of_value(msgspec.json.decode(msgspec.json.encode(document, order="sorted")), definition_of(type_))


def _another_kind(obj: ApiObject, kind: Kind) -> str:
    """What is wrong with the kind that a patch has given an object; empty when it is still the same."""
    if obj.kind == kind.name and obj.api_version == kind.api_version:
        return ""
    version = obj.api_version.rpartition("/")[2]
    if find_kind(obj.api_version, obj.kind) is None:
        return f'no kind "{obj.kind}" is registered for version "{obj.api_version}" in scheme "{SCHEME}"'
    package = kind.group.partition(".")[0] or "core"
    return f"converting ({version}.{obj.kind}) to ({package}.{kind.name}): unknown conversion"


def _restoring(why: str) -> str:
    """A mismatch as the converter says it that a strategic merge goes through: by Go's kinds, without the field."""
    found = _MISMATCH.fullmatch(why)
    if found is None:
        return why
    held = {"array": "slice", "object": "map", "number": "int64"}.get(found["held"], found["held"])
    if found["wanted"].startswith("[]"):
        return f"cannot restore slice from {held}"
    if found["wanted"].startswith("map["):
        return f"cannot restore map from {held}"
    return f"cannot restore struct from: {held}" if "." in found["wanted"] else why


def _encoded(document: dict[str, Any], type_: type[ApiObject]) -> str:
    """A patched document as Go writes it: what patches go through is a map, whose keys are sorted."""
    known = {} if issubclass(type_, CustomObject) else schema.fields(definition_of(type_))
    found = {name: _in_order(document[name], known.get(name)) for name in sorted(document)}
    return msgspec.json.encode(found).decode()


def _in_order(value: Any, node: schema.Node | None) -> Any:
    """A value with the keys of its maps sorted, as Go writes maps."""
    if isinstance(value, list):
        return [_in_order(item, node.item if node is not None else None) for item in value]
    if not isinstance(value, dict) or node is None:
        return value
    if node.type == "struct":
        nodes = schema.fields(node.definition)
        return {name: _in_order(held, nodes.get(name)) for name, held in value.items()}
    return {name: _in_order(value[name], node.item) for name in sorted(value)}


def go_text(value: Any) -> str:
    """A JSON value as Go prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unfit(shown: str, why: str) -> status.StatusError:
    problem = status.invalid("patch", shown, why)
    cause = StatusCause(reason=problem.type, message=problem.body, field="patch")
    return status.failure(422, "Invalid", f' "" is invalid: {problem}', StatusDetails(causes=[cause]))
