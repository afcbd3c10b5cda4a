"""The fields that a write of an object, or of one of its parts, cannot change, so that its writer never owns them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from pybernetes.api.kind import Kind
from pybernetes.apiserver.field_management.fieldset import LEAF, Fields, only_below, without_below

ResetFields = Callable[[Fields], Fields]

_STATUS: Fields = {"f:status": LEAF}
_SPEC: Fields = {"f:spec": LEAF}
_SPEC_AND_METADATA: Fields = {"f:spec": LEAF, "f:metadata": LEAF}
# What the status sub-resource leaves alone besides the spec, by resource.
_OF_STATUS: dict[str, Fields] = {
    "pods": {**_SPEC, "f:metadata": {"f:deletionTimestamp": LEAF, "f:ownerReferences": LEAF}},
    "deployments": {**_SPEC, "f:metadata": {"f:labels": LEAF}},
    "certificatesigningrequests": {**_SPEC, "f:status": {"f:conditions": LEAF}},
    **dict.fromkeys(
        (
            "apiservices",
            "customresourcedefinitions",
            "flowschemas",
            "prioritylevelconfigurations",
            "validatingadmissionpolicies",
            "volumeattachments",
        ),
        _SPEC_AND_METADATA,
    ),
}
_RESOURCES: Fields = {"*": {"f:resources": LEAF, "f:resizePolicy": LEAF}}
_ONLY: dict[tuple[str, str], Fields] = {
    ("pods", "ephemeralcontainers"): {"f:spec": {"f:ephemeralContainers": LEAF}},
    ("pods", "resize"): {
        "f:spec": {"f:containers": _RESOURCES, "f:initContainers": _RESOURCES, "f:resources": LEAF},
    },
}


def keep_all(fields: Fields) -> Fields:
    """For writes that may change everything."""
    return fields


@cache
def reset_fields(kind: Kind, subresource: str, *, custom: bool = False) -> ResetFields:
    """Takes out of a set what a write through this path cannot change."""
    if kind.resource == "servicecidrs":
        # What is reset there upstream is named in a group that does not exist.
        return keep_all
    if only := _ONLY.get((kind.resource, subresource)):
        return partial(only_below, pattern=only)
    if subresource == "status":
        default = _SPEC_AND_METADATA if custom else _SPEC
        return partial(without_below, excluded=_OF_STATUS.get(kind.resource, default))
    if subresource == "approval":
        return partial(without_below, excluded={**_SPEC, "f:status": {"f:certificate": LEAF}})
    if kind.resource == "certificatesigningrequests":
        return partial(without_below, excluded={**_SPEC, **_STATUS})
    if any(part.name == "status" for part in kind.subresources):
        return partial(without_below, excluded=_STATUS)
    return keep_all
