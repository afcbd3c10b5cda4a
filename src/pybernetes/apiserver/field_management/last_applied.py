"""`kubectl apply` without --server-side leaves an annotation: how kubectl's server-side apply takes over. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from pybernetes.apiserver.field_management.comparison import compare, settings
from pybernetes.apiserver.field_management.field_type import FieldType
from pybernetes.apiserver.field_management.fieldset import Fields, difference
from pybernetes.apiserver.resources.validation.metadata import TOTAL_ANNOTATION_SIZE

MANAGER = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def annotation_of(document: dict[str, Any]) -> str | None:
    """The annotation's text; None when there is none."""
    annotations = (document.get("metadata") or {}).get("annotations") or {}
    text = annotations.get(ANNOTATION)
    return text if isinstance(text, str) and text else None


def fits(annotations: dict[str, str]) -> bool:
    """Whether an object may have these annotations."""
    return sum(len(text.encode()) for pair in annotations.items() for text in pair) <= TOTAL_ANNOTATION_SIZE


def allowed(type_: FieldType, live: dict[str, Any]) -> Fields:
    """The fields that client-side apply has set and that still hold what it set: kubectl may take them from anyone."""
    try:
        applied = msgspec.json.decode(annotation_of(live) or "{}")
    except msgspec.DecodeError:
        return {}
    if not isinstance(applied, dict) or applied.get("apiVersion") != live.get("apiVersion"):
        return {}
    difference_ = compare(type_, applied, live)
    return difference(difference(settings(type_, applied), difference_.changed), difference_.removed)


def text_of(applied: dict[str, Any]) -> str:
    """The annotation for an applied document."""
    metadata = dict(applied.get("metadata") or {})
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != ANNOTATION}
    if "annotations" in metadata:
        metadata["annotations"] = annotations
    return msgspec.json.encode({**applied, "metadata": metadata}, order="sorted").decode() + "\n"
