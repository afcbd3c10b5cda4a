"""Patches: what a PATCH body makes of a stored object, with upstream's errors. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pybernetes.api import json_patch, merge_patch, schema, status, strategic_merge, strictness
from pybernetes.api.encoding import SCHEME, DecodeError, decode_value, from_value
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

_MISMATCH = re.compile(
    r"json: cannot unmarshal (?P<held>\w+) into Go (?:struct field \S+|value) of type (?P<wanted>\S+)"
)
Apply = Callable[[dict[str, Any]], dict[str, Any]]


def patch_of(request: Request, type_: type[ApiObject]) -> Apply:
    """The request's patch as a function of plain documents; 400, 413 or 415 for one that makes no sense."""
    media = request.headers.get("content-type", "").split(";")[0].strip()
    accepts = _ACCEPTED_FOR_CUSTOM if issubclass(type_, CustomObject) else _ACCEPTED
    if media not in accepts:
        accepted = ", ".join(accepts)
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise status.failure(415, "UnsupportedMediaType", message)
    try:
        body = decode_value(request.body)
    except DecodeError as error:
        prefix = "" if media == STRATEGIC_PATCH else "error decoding patch: "
        raise status.bad_request(f"{prefix}{error}") from error
    if media == JSON_PATCH:
        return _json_patch(body)
    if not isinstance(body, dict) and media == STRATEGIC_PATCH:
        kind = "array" if isinstance(body, list) else "string" if isinstance(body, str) else "number"
        raise status.bad_request(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    if not isinstance(body, dict):
        raise status.bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]any")
    if media == MERGE_PATCH:
        return lambda document: _object(merge_patch.apply(document, body))
    return StrategicPatch(body, type_)


def problems_of(request: Request, validation: str) -> list[str]:
    """What field validation has to say of the patch itself."""
    return strictness.duplicates(request.body) if validation != "Ignore" else []


def _json_patch(body: Any) -> Apply:
    if not isinstance(body, list):
        kind = "object" if isinstance(body, dict) else "string" if isinstance(body, str) else "number"
        text = f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        raise status.bad_request(f"error decoding patch: {text}")
    if len(body) > _OPERATIONS_MAX:
        raise status.failure(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is {_OPERATIONS_MAX}, "
            f"got {len(body)}",
        )

    def apply(document: dict[str, Any]) -> dict[str, Any]:
        try:
            return _object(json_patch.apply(document, body))
        except json_patch.PatchError as error:
            raise _rejected() from error

    return apply


def _rejected() -> status.StatusError:
    message = "the server rejected our request due to an error in our request"
    return status.failure(422, "Invalid", message, StatusDetails())


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _rejected()
    return document


@dataclass(frozen=True)
class StrategicPatch:
    """A strategic merge patch, which errors show instead of its result."""

    body: dict[str, Any]
    type: type[ApiObject]

    def __call__(self, document: dict[str, Any]) -> dict[str, Any]:
        return _strategic(document, self.body, self.type)


def _strategic(document: dict[str, Any], patch: dict[str, Any], type_: type[ApiObject]) -> dict[str, Any]:
    try:
        merged = strategic_merge.apply(document, patch, definition_of(type_))
    except strategic_merge.SchemaError as error:
        # Upstream has no client error for these (reference, 5.17).
        raise status.failure(500, "", str(error)) from error
    # Upstream merges into a struct that knows what it is, whatever the patch says.
    return {**merged, "kind": document["kind"], "apiVersion": document["apiVersion"]}


@dataclass(frozen=True)
class Validation:
    """How unknown and duplicate fields are told, and those of the patch itself."""

    mode: str
    warn: Callable[[str], None]
    problems: Sequence[str] = ()


def patched(served: ApiObject, apply: Apply, kind: Kind, validation: Validation) -> ApiObject:
    """The patched form of an object, typed again; 422 when the result does not fit the type."""
    document = apply(to_builtins(served))

    def unfit(why: str) -> status.StatusError:
        if isinstance(apply, StrategicPatch):
            return _unfit(go_text(apply.body), _restoring(why))
        return _unfit(_encoded(document, kind.type), why)

    if issubclass(kind.type, CustomObject):
        return _patched_custom(document, kind.type, validation)
    try:
        decoded = from_value(document, kind.type, strict=validation.mode != "Ignore")
    except DecodeError as error:
        raise unfit(str(error)) from error
    if why := _another_kind(decoded.object, kind):
        raise unfit(why)
    problems = [*validation.problems, *decoded.strict]
    if problems and validation.mode == "Strict":
        raise unfit(f"strict decoding error: {', '.join(problems)}")
    report_strict(problems, validation.mode, validation.warn, kind.type)
    mark_reset(document, decoded.object)
    return decoded.object


def _patched_custom(document: dict[str, Any], type_: type[CustomObject], validation: Validation) -> ApiObject:
    try:
        decoded = from_document(document, type_, strict=validation.mode != "Ignore")
    except DecodeError as error:
        raise _unfit(_encoded(document, type_), error.detail) from error
    report_strict([*validation.problems, *decoded.strict], validation.mode, validation.warn, type_)
    mark_reset(document, decoded.object)
    return decoded.object


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
