"""Modules that are executed when they are first needed."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

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


def test_runs_once_when_threads_ask_together(package: str) -> None:
    folder = Path(importlib.import_module(package).__path__[0])
    (folder / "slow.py").write_text(
        f"from threading import Event\nfrom {package} import early\n"
        "early.begun.set()\nearly.go_on.wait()\nearly.executed.append('slow')\nANSWER = 42\n"
    )
    early: Any = importlib.import_module(f"{package}.early")
    early.begun, early.go_on = threading.Event(), threading.Event()
    with lazily():
        slow = importlib.import_module(f"{package}.slow")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: slow.ANSWER)
        early.begun.wait()
        second = threads.submit(lambda: slow.ANSWER)
        early.go_on.set()
        assert (first.result(), second.result()) == (42, 42)
    assert early.executed == ["slow"]


def test_a_module_that_fails_fails_whenever_it_is_asked(package: str) -> None:
    (Path(importlib.import_module(package).__path__[0]) / "broken.py").write_text("raise ValueError('broken')\n")
    with lazily():
        broken = importlib.import_module(f"{package}.broken")
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            _ = broken.ANSWER


def test_a_module_that_is_missing_is_told_at_once(package: str) -> None:
    with pytest.raises(ModuleNotFoundError), lazily():
        importlib.import_module(f"{package}.nowhere")


def test_an_api_server_starts_without_what_is_rare() -> None:
    """Start-up is mostly imports: these came back more than once."""
    rare = (
        "pybernetes.cel",
        "yaml",
        "pybernetes.streaming.spdy",
        "pybernetes.api.protobuf",
        "pybernetes.apiserver.openapi.version2",
    )
    script = (
        "import sys, pybernetes.cluster.apiserver_process\n"
        "from pybernetes.lazy_imports import is_waiting\n"
        "print(*(name for name, module in sys.modules.items() if not is_waiting(module)))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    executed = set(shown.split())
    assert "pybernetes.apiserver.apiserver" in executed
    assert not executed & set(rare)
