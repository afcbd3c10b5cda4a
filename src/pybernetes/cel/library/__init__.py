"""The functions that expressions of Kubernetes v1.36 can call: CEL's own, its extensions, and those of Kubernetes."""

from __future__ import annotations

from pybernetes.cel.declarations import joined
from pybernetes.cel.library import (
    conversions,
    formatting,
    lists,
    named_formats,
    network,
    operators,
    optionals,
    quantities,
    regular,
    semantic_versions,
    sets,
    strings,
    times,
    urls,
)

KUBERNETES = joined(
    module.LIBRARY
    for module in (
        operators,
        conversions,
        times,
        optionals,
        strings,
        formatting,
        regular,
        lists,
        sets,
        urls,
        quantities,
        network,
        named_formats,
        semantic_versions,
    )
)
