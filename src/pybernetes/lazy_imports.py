"""Modules that are executed when something of theirs is first asked for, not when they are imported.

For what most processes never need, or not before they are ready: imports are most of what a start takes. Whoever
imports such a module imports it whole (`from package import module`): a name out of it would have to be asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _LazyFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        # A package is executed: it says where its modules are.
        if spec is not None and spec.loader is not None and spec.submodule_search_locations is None:
            spec.loader = LazyLoader(spec.loader)
        return spec


_FINDER = _LazyFinder()


@contextmanager
def lazily() -> Iterator[None]:
    """Imports inside of the block bind modules that have yet to be executed; those executed before stay as they are."""
    sys.meta_path.insert(0, _FINDER)
    try:
        yield
    finally:
        sys.meta_path.remove(_FINDER)
