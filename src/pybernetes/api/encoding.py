"""Bytes of the wire <-> typed objects: JSON, YAML and protobuf in; JSON and YAML out.

Flow: a request body and its content type go in; `Decoded` (the object, and the lines about unknown or duplicate fields)
comes out, or `DecodeError` with the text of upstream's 400. What is well-formed takes the fast path, msgspec's typed
decoder; what that refuses is read again as Go reads it (nulls are absent) before it counts as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from pybernetes.api import json_syntax, kinds, scalars, schema, strictness, tolerance, zeros
from pybernetes.api.go_text import json_kind
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.api import protobuf, yaml

T = TypeVar("T")

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MEDIA_TYPES = (JSON, YAML, PROTOBUF)

SCHEME = "pkg/api/legacyscheme/scheme.go:30"
_HEADER_STRUCT = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
_SHOWN_BYTES = 30


class DecodeError(ValueError):
    """A body that is no such object. The message is that of upstream's 400; `detail` is its last part alone.

    `strict` holds what field validation has to say all the same.
    """

    def __init__(self, message: str, detail: str = "", strict: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.detail = detail or message
        self.strict = list(strict)


class UnsupportedMediaType(ValueError):
    """A content type that no object can be read from: 415, with upstream's text."""

    def __init__(self) -> None:
        super().__init__(
            "the body of the request was in an unknown format - accepted media types include: " + ", ".join(MEDIA_TYPES)
        )


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """What was read: the object, and what strict validation would refuse, as upstream words it."""

    object: T
    strict: list[str] = field(default_factory=list)


def decode(body: bytes, content_type: str, type_: type[T], *, strict: bool = False) -> Decoded[T]:
    """Reads one object of `type_`. Unknown and duplicate fields are looked for only when `strict`.

    Raises DecodeError (400) or UnsupportedMediaType (415).
    """
    match content_type.partition(";")[0].strip().lower():
        case "" | "application/json":
            return _decode_json(body, body, type_, strict, [])
        case "application/yaml":
            return _decode_yaml(body, type_, strict)
        case "application/vnd.kubernetes.protobuf":
            return _decode_protobuf(body, type_)
        case _:
            raise UnsupportedMediaType


def from_value(value: dict[str, Any], type_: type[T], *, strict: bool = False) -> Decoded[T]:
    """Reads an object from a plain value such as a patched document, with Go's tolerance.

    Raises DecodeError with the bare text (`json: cannot unmarshal ...`). Nothing is shared with `value`.
    """
    try:
        definition = schema.definition_of(type_)
        lines = strictness.of_value(value, definition) if strict else []
        obj = _converted(value, type_, definition)
        scalars.normalize(obj)
        zeros.drop(obj)
    except ValueError as error:
        raise DecodeError(str(error)) from None
    return Decoded(obj, lines)


def _converted(value: Any, type_: type[T], definition: str) -> T:
    """The typed object of a value; TypeMismatch with Go's text."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return msgspec.convert(tolerance.cleaned(value, definition), type_)


def decode_value(body: bytes) -> Any:
    """Reads a plain JSON value, such as a patch, as Go does. Raises DecodeError with the text of Go's scanner."""
    if json_syntax.is_too_deep(body):
        raise DecodeError(json_syntax.TOO_DEEP)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        try:
            return tolerance.parse_plain(body)
        except (ValueError, RecursionError):
            raise DecodeError(json_syntax.syntax_error(body) or json_syntax.TOO_DEEP) from None


def _decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    if type_ not in _DECODERS:
        _DECODERS[type_] = msgspec.json.Decoder(type_)
    return _DECODERS[type_]


_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def _decode_json(body: bytes, shown: bytes, type_: type[T], strict: bool, lines: list[str]) -> Decoded[T]:
    """`shown` is the body as the client sent it, for error messages."""
    if json_syntax.is_too_deep(body):
        raise unrecognized(type_, shown, f"couldn't get version/kind; json parse error: {json_syntax.TOO_DEEP}")
    try:
        obj = _decoder(type_).decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        obj = _decode_slowly(body, shown, type_)
    _check_kind(obj, type_, shown)
    mark = strictness.likeness(body, schema.definition_of(type_), _name(obj)) if strict else None
    known = _REMEMBERED.get(mark) if mark is not None else None
    if known == _PLAIN:
        return Decoded(obj, lines)
    given = _encoder.encode(obj) if mark is not None and known is None else b""
    try:
        scalars.normalize(obj)
    except ValueError as error:
        raise _cannot_be_handled(obj, type_, str(error)) from None
    if zeros.may_be_in(body):
        zeros.drop(obj)
    if strict and known is None:
        found = strictness.of_json(body, schema.definition_of(type_))
        if any(line.startswith("duplicate field") for line in found):
            obj = from_value(strictness.merged(body), type_).object
        if mark is not None and not found:
            _remember(mark, _PLAIN if given == _encoder.encode(obj) else _CLEAN)
        lines = lines + found
    return Decoded(obj, lines)


# Marks of texts that strict validation has nothing to say of: _CLEAN; _PLAIN where the object also needs no changes.
_REMEMBERED: dict[bytes, int] = {}
_REMEMBERED_MAX = 10_000
_CLEAN, _PLAIN = 1, 2


def _remember(mark: bytes, what: int) -> None:
    if len(_REMEMBERED) >= _REMEMBERED_MAX:
        _REMEMBERED.clear()
    _REMEMBERED[mark] = what


def _name(obj: Any) -> str:
    """The name, in which alone the bodies of one controller differ."""
    return getattr(getattr(obj, "metadata", None), "name", None) or ""


def _decode_slowly(body: bytes, shown: bytes, type_: type[T]) -> T:
    try:
        value = tolerance.parse(body)
    except (ValueError, RecursionError):
        syntax = json_syntax.syntax_error(body) or "exceeded max depth"
        raise unrecognized(type_, shown, f"couldn't get version/kind; json parse error: {syntax}") from None
    problem = _header_problem(value)
    if problem:
        detail = f"couldn't get version/kind; json parse error: json: cannot unmarshal {problem}"
        raise unrecognized(type_, shown, detail)
    value = value or {}
    try:
        return msgspec.convert(tolerance.cleaned(value, schema.definition_of(type_)), type_)
    except tolerance.TypeMismatch as error:
        header = _Header(value.get("kind") or "", value.get("apiVersion") or "")
        _check_kind(header, type_, shown)
        raise _cannot_be_handled(header, type_, str(error)) from None


@dataclass(frozen=True, slots=True)
class _Header:
    """Kind and apiVersion of a body that has no typed form."""

    kind: str
    api_version: str


def _header_problem(value: Any) -> str:
    """What keeps Go from reading apiVersion and kind; empty when nothing does."""
    if value is not None and not isinstance(value, dict):
        return f"{json_kind(value)} into Go value of type {_HEADER_STRUCT}"
    for name, held in (value or {}).items():
        if name in ("apiVersion", "kind") and held is not None and not isinstance(held, str):
            return f"{json_kind(held)} into Go struct field .{name} of type string"
    return ""


def unrecognized(type_: type, body: bytes, why: str) -> DecodeError:
    """The error for a body whose kind cannot even be found."""
    message = f"the object provided is unrecognized (must be of type {type_.__name__}): {why} ({_summary(body)})"
    return DecodeError(message)


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    start = body[:_SHOWN_BYTES]
    text = start.decode("utf-8", "replace") if body[:1] == b"{" else start.hex()
    return text + " ..." if len(body) > _SHOWN_BYTES else text


def _cannot_be_handled(header: Any, type_: type, detail: str) -> DecodeError:
    expected = _expected(type_)
    version = (header.api_version or expected.api_version).rpartition("/")[2]
    kind = header.kind or expected.kind
    return DecodeError(f'{kind} in version "{version}" cannot be handled as a {type_.__name__}: {detail}', detail)


def _expected(type_: type) -> _Header:
    """The kind and apiVersion that the struct has by default; empty for a part that is no object."""
    if type_ not in _EXPECTED:
        sample: Any = type_()
        _EXPECTED[type_] = _Header(getattr(sample, "kind", "") or "", getattr(sample, "api_version", "") or "")
    return _EXPECTED[type_]


_EXPECTED: dict[type, _Header] = {}


def _check_kind(obj: Any, type_: type, shown: bytes = b"") -> None:
    """Completes a missing kind or apiVersion; DecodeError when the body says it is something else.

    `shown` is the body, for the error about what cannot be an apiVersion at all.
    """
    expected = _expected(type_)
    if not expected.kind or (obj.kind == expected.kind and obj.api_version == expected.api_version):
        return
    kind, api_version = obj.kind or expected.kind, _whole_version(obj.api_version, expected.api_version)
    if not isinstance(obj, _Header):
        obj.kind, obj.api_version = kind, api_version
    if kind == expected.kind and (api_version == expected.api_version or kind in _EVERY_GROUP):
        return
    if shown and api_version.count("/") > 1:
        raise unrecognized(type_, shown, f"unexpected GroupVersion string: {api_version}")
    if kinds.find_kind(api_version, kind) is not None and kind == expected.kind:
        group_version = expected.api_version
        raise DecodeError(
            f"the API version in the data ({api_version}) does not match the expected API version ({group_version})"
        )
    detail = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{SCHEME}"'
    raise _cannot_be_handled(_Header(kind, api_version), type_, detail)


def _whole_version(api_version: str, expected: str) -> str:
    """An apiVersion as Go reads it: a group alone means the version that is asked for, no group the core. Pure."""
    group, slash, version = api_version.partition("/")
    if not slash or "/" in version:
        return api_version or expected
    if not version:
        return expected if group in ("", expected.rpartition("/")[0]) else api_version
    return api_version if group else version


# Option kinds are registered in every group-version.
_EVERY_GROUP = frozenset(
    {"DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "ListOptions", "GetOptions"}
)


def _decode_yaml(body: bytes, type_: type[T], strict: bool) -> Decoded[T]:
    if body[:1] == b"{" and not json_syntax.syntax_error(body):
        return _decode_json(body, body, type_, strict, [])
    try:
        value, duplicates = yaml.load_reporting(body)
    except yaml.YamlError as error:
        raise unrecognized(type_, body, str(error)) from None
    lines = []
    if strict and duplicates:
        lines = [yaml.problem(duplicates)]
    # Go converts YAML to JSON with sorted keys, and its errors come in that order.
    return _decode_json(msgspec.json.encode(value, order="sorted"), body, type_, strict, lines)


def _decode_protobuf(body: bytes, type_: type[T]) -> Decoded[T]:
    definition = schema.definition_of(type_)
    header = _Header("", "")
    try:
        envelope = protobuf.open_envelope(body)
        header = _Header(envelope.kind, envelope.api_version)
        _check_kind(header, type_)
        value = protobuf.decode_message(envelope.raw, definition)
        obj = _converted(value, type_, definition)
        _check_kind(obj, type_)
        scalars.normalize(obj)
    except protobuf.NotProtobuf as error:
        raise unrecognized(type_, body, str(error)) from None
    except DecodeError:
        raise
    except ValueError as error:
        raise _cannot_be_handled(header, type_, str(error)) from None
    return Decoded(obj)


_encoder = msgspec.json.Encoder()
# Go writes the zero time as null; in our structs a required time that was never set is empty text.
_EMPTY_TIME = re.compile(rb'("(?:lastTransitionTime|eventTime|lastObservedTime)":)""')


def encode(obj: Any) -> bytes:
    """The object (or plain value) as compact JSON."""
    body = _encoder.encode(obj)
    if b'Time":""' in body:
        return _EMPTY_TIME.sub(rb"\1null", body)
    return body


def encode_yaml(obj: Any) -> bytes:
    """The object as YAML, keys sorted, as `Accept: application/yaml` gets it."""
    return json_to_yaml(encode(obj))


def json_to_yaml(body: bytes) -> bytes:
    """A JSON text as YAML."""
    return yaml.dump(msgspec.json.decode(body)).encode()


def pretty(body: bytes) -> bytes:
    """JSON bytes indented by two blanks with a final newline, as `?pretty=true` and `kubectl -o json` show them."""
    return msgspec.json.format(body, indent=2) + b"\n"
