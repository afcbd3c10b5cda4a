"""An object as PartialObjectMetadata, in plain values: for those who ask for no more, and for the rows of tables."""

from __future__ import annotations

from typing import Any

from pybernetes.api.objects import to_builtins
from pybernetes.apiserver.entry import Entry

# Upstream adds it to whole objects only, where it turns them into the version that is served.
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def partial_metadata(entry: Entry, version: str) -> dict[str, Any]:
    """An entry as PartialObjectMetadata; `version` is its apiVersion."""
    metadata = to_builtins(entry.object.metadata)
    if TEMPLATE_GENERATION in metadata.get("annotations", ()):
        metadata["annotations"].pop(TEMPLATE_GENERATION)
        if not metadata["annotations"]:
            del metadata["annotations"]
    return {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": metadata}
