"""What all API objects share: kind, apiVersion and metadata; copying them, and the way to and from plain values.

Objects of custom resources have no struct of their own: `CustomObject` holds what their definition lets them hold.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, ClassVar, TypeVar

import msgspec

from pybernetes.api.struct import ApiStruct, NoItems, no_items
from pybernetes.api.types.meta_v1 import ObjectMeta


class ApiObject(ApiStruct, kw_only=True):
    """An object with a life of its own in the API, such as a Pod."""

    kind: str = ""
    api_version: str = ""
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class CustomObject(ApiObject, kw_only=True):
    """An object of a custom resource: typed metadata, and all its other fields as plain JSON in `content`.

    Every served version of every CustomResourceDefinition has a subclass of its own, named as the kind, whose `rules`
    say what the API server knows of it.
    """

    content: dict[str, Any] = {}
    # The version that a client spoke, where the object has been converted to the stored one since.
    spoken: Any = None
    rules: ClassVar[Any] = None

    def plain(self) -> dict[str, Any]:
        """The whole object as a shallow dict, for encoding; metadata is still a struct."""
        head = {"kind": self.kind, "apiVersion": self.api_version, "metadata": self.metadata}
        return {**head, **self.content}


def _empty(fields: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'("(?:%b)":)\[\]' % fields)


# Kinds with a `NullableList`, which Go writes as null when it is not set. (Quotes within texts are escaped.)
_NULLED = {
    "LimitRange": _empty(b"limits"),
    "Role": _empty(b"rules"),
    "ClusterRole": _empty(b"rules"),
    "EndpointSlice": _empty(b"endpoints|ports"),
    "CSINode": _empty(b"drivers"),
    "ResourceClaim": _empty(b"requests"),
    "ResourceClaimTemplate": _empty(b"requests"),
    "HorizontalPodAutoscaler": _empty(b"currentMetrics"),
    "CustomResourceDefinition": _empty(b"conditions|storedVersions"),
}

Object = TypeVar("Object", bound=ApiObject)
T = TypeVar("T")


def copy(obj: T) -> T:
    """A deep copy that the caller may change; `obj` is a struct or a plain JSON value and keeps nothing in common.

    ValidationError when a field of the struct holds what its type does not allow.
    """
    # Both directions run in C: a sixth of the time of a walk in Python.
    value = msgspec.to_builtins(obj)
    if type(obj).__name__ in _NULLED and isinstance(obj, ApiStruct):
        _show_unset(obj, value)
    return msgspec.convert(value, type(obj))


def to_builtins(obj: Any) -> dict[str, Any]:
    """The object as JSON values (bytes as base64 text), private to the caller."""
    if isinstance(obj, CustomObject):
        value: dict[str, Any] = msgspec.to_builtins(obj.plain())
        return value
    value = msgspec.to_builtins(obj)
    if type(obj).__name__ in _NULLED:
        _show_unset(obj, value)
    return value


def _show_unset(part: ApiStruct, value: dict[str, Any]) -> None:
    """Puts null for the lists that nobody has set, which `msgspec` writes as empty ones."""
    for name, wire in zip(part.__struct_fields__, part.__struct_encode_fields__, strict=True):
        held = getattr(part, name)
        if type(held) is NoItems and not held:
            value[wire] = None
        elif isinstance(held, ApiStruct) and name != "metadata" and wire in value:
            _show_unset(held, value[wire])


def forget_empty(obj: ApiObject) -> None:
    """Makes the empty lists of an object unset ones where the two are stored alike, in place."""
    if type(obj).__name__ in _NULLED and not isinstance(obj, CustomObject):
        _forget_empty(obj)


def _forget_empty(part: ApiStruct) -> None:
    hints = _nullable(type(part))
    for name in part.__struct_fields__:
        held = getattr(part, name)
        if name in hints:
            if not held:
                setattr(part, name, no_items())
        elif isinstance(held, ApiStruct) and name != "metadata":
            _forget_empty(held)


@cache
def _nullable(type_: type[ApiStruct]) -> frozenset[str]:
    """The attributes of a struct that are `NullableList`s."""
    return frozenset(field.name for field in msgspec.structs.fields(type_) if field.default_factory is no_items)


def encode(obj: ApiObject) -> bytes:
    """The object as JSON: kind, apiVersion and metadata first, whatever kind it is."""
    if isinstance(obj, CustomObject):
        return msgspec.json.encode(obj.plain())
    body = msgspec.json.encode(obj)
    nulled = _NULLED.get(type(obj).__name__)
    return body if nulled is None else nulled.sub(rb"\1null", body)


def from_builtins(value: dict[str, Any], type_: type[T]) -> T:
    """A struct from JSON values; msgspec.ValidationError if they do not fit (`encoding.from_value` is tolerant)."""
    return msgspec.convert(value, type_)


def key(obj: ApiObject) -> str:
    """`namespace/name`, or just the name of an object without a namespace: what work queues hold."""
    metadata = obj.metadata
    return f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name or ""
