"""Modules that are executed when something of theirs is first asked for, not when they are imported.

For what most processes never need, or not before they are ready: imports are most of what a start takes. Whoever
imports such a module imports it whole (`from package import module`): a name out of it would have to be asked for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

# What may be asked of a module before it has been executed, as the import system does.
_KNOWN_BEFORE = frozenset(
    {"__cached__", "__class__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"}
)


class _LazyModule(ModuleType):
    def __getattribute__(self, name: str) -> Any:
        if name not in _KNOWN_BEFORE:
            spec = object.__getattribute__(self, "__spec__")
            spec.loader_state.execute(self)
        return object.__getattribute__(self, name)


class _Execution:
    """The one execution of a module, whichever thread comes first; the standard library's has no lock before 3.12."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.RLock()
        self._has_begun = False

    def execute(self, module: ModuleType) -> None:
        with self._lock:
            # Modules that import each other come here again: they find what there is so far.
            if self._has_begun:
                return
            self._has_begun = True
            try:
                self._loader.exec_module(module)
            except BaseException:
                self._has_begun = False
                raise
            module.__class__ = ModuleType


class _LazyLoader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec is not None
        spec.loader = module.__loader__ = self._loader
        spec.loader_state = _Execution(self._loader)
        module.__class__ = _LazyModule


class _LazyFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        # A package is executed: it says where its modules are.
        if spec is not None and spec.loader is not None and spec.submodule_search_locations is None:
            spec.loader = _LazyLoader(spec.loader)
        return spec


_FINDER = _LazyFinder()


def is_waiting(module: ModuleType) -> bool:
    """Whether nothing has been asked of a module yet."""
    return type(module) is _LazyModule


@contextmanager
def lazily() -> Iterator[None]:
    """Imports inside of the block bind modules that have yet to be executed; those executed before stay as they are."""
    sys.meta_path.insert(0, _FINDER)
    try:
        yield
    finally:
        sys.meta_path.remove(_FINDER)
