"""Modules that are executed when they are first needed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pybernetes.lazy_imports import lazily


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package whose module `late` tells `early.executed` when it runs."""
    name = f"of_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "early.py").write_text("executed = []\n")
    (folder / "late.py").write_text(f"from {name} import early\nearly.executed.append('late')\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def _late(package: str) -> ModuleType:
    with lazily():
        return importlib.import_module(f"{package}.late")


def test_runs_when_asked_for_something(package: str) -> None:
    early = importlib.import_module(f"{package}.early")
    late = _late(package)
    assert early.executed == []
    assert late.ANSWER == 42
    assert early.executed == ["late"]


def test_runs_once_and_is_the_module_that_others_import(package: str) -> None:
    late = _late(package)
    assert importlib.import_module(f"{package}.late") is late
    assert late.ANSWER == importlib.import_module(f"{package}.late").ANSWER
    assert importlib.import_module(f"{package}.early").executed == ["late"]


def test_imports_after_the_block_run_at_once(package: str) -> None:
    with lazily():
        pass
    importlib.import_module(f"{package}.late")
    assert importlib.import_module(f"{package}.early").executed == ["late"]


def test_a_module_that_is_missing_is_told_at_once(package: str) -> None:
    with pytest.raises(ModuleNotFoundError), lazily():
        importlib.import_module(f"{package}.nowhere")


def test_an_api_server_starts_without_what_is_rare() -> None:
    """Start-up is mostly imports: these came back more than once."""
    rare = ("pybernetes.cel", "yaml", "pybernetes.streaming.spdy", "pybernetes.apiserver.openapi.version2")
    told = "import sys, pybernetes.cluster.apiserver_process\nprint(*sys.modules)"
    script = f"{told}\nfrom importlib.util import _LazyModule\n"
    script += "print(*(name for name, module in sys.modules.items() if type(module) is _LazyModule))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    imported, lazy = (set(line.split()) for line in shown.splitlines())
    assert imported - lazy >= {"pybernetes.apiserver.apiserver"}
    assert not (imported - lazy) & set(rare)
