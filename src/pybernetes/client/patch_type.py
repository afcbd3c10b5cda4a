"""The four ways to say a change, each a media type."""

from __future__ import annotations

from enum import StrEnum


class PatchType(StrEnum):
    """The content type of a PATCH."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"
