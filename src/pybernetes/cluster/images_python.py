"""Files of the `pybernetes` image: the interpreter that runs this, the libraries that add-ons import, the project.

Modules are stored compiled and without their source, which halves the size and spares compiling at each start. The
interpreter keeps the path that it has on the host, since that is built into it. Called by `images`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import marshal
import re
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pybernetes
from pybernetes.cluster.images_debian import library_files
from pybernetes.cluster.images_oci import Entry, Files

SITE = "opt/pybernetes"
_ROOTS = ("aiohttp", "dnslib", "msgspec", "PyYAML", "uvloop")
# fmt: off
_NOT_NEEDED = frozenset([
    "test", "tests", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "lib2to3", "distutils", "pydoc_data",
    "pydoc.py", "venv", "site-packages", "dist-packages", "__pycache__", "unittest", "doctest.py", "curses", "sqlite3",
    "dbm", "xmlrpc", "wsgiref", "msilib", "__phello__",
])
# fmt: on
_NOT_NEEDED_LIBRARIES = re.compile(
    r"_test|_ctypes_test|_tkinter|_xxtest|xxlimited|_sqlite3|_curses|_dbm|_gdbm|readline"
)


def interpreter() -> Path:
    """The real interpreter, not a virtual environment's link to it."""
    base: str = getattr(sys, "_base_executable", sys.executable)
    return Path(base).resolve()


async def interpreter_files() -> Files:
    """The interpreter, its standard library as far as a server needs it, and the shared libraries of both."""
    files: Files = {str(interpreter()).lstrip("/"): Entry(interpreter())}
    for stdlib in {Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib"))}:
        files |= tree_files(stdlib, str(stdlib).lstrip("/"))
    shared = [interpreter(), *(entry.data for entry in files.values() if _is_library(entry))]
    return files | await library_files([path for path in shared if isinstance(path, Path)])


async def dependency_files() -> Files:
    """The third-party packages that add-ons import."""
    files: Files = {}
    for name in sorted(_closure(_ROOTS)):
        for packaged in importlib.metadata.distribution(name).files or []:
            path = Path(str(packaged.locate()))
            if ".." in packaged.parts or "tests" in packaged.parts or not path.exists():
                continue
            if path.suffix == ".py":
                files |= _compiled(path, f"{SITE}/{packaged}")
            elif path.suffix == ".so" or path.name == "METADATA":
                files[f"{SITE}/{packaged}"] = Entry(path)
    shared = [entry.data for entry in files.values() if _is_library(entry)]
    return files | await library_files([path for path in shared if isinstance(path, Path)])


def distributions() -> list[Path]:
    """The interpreter and the packages that go in, as files that tell versions apart by name and size."""
    return [interpreter(), *(_metadata(name) for name in sorted(_closure(_ROOTS)))]


def _metadata(name: str) -> Path:
    packaged = importlib.metadata.distribution(name)
    return Path(str(packaged.locate_file(f"{name}-{packaged.version}")))


def project_files() -> Files:
    """This project, and `pyb`."""
    root = Path(pybernetes.__file__).parent
    files = tree_files(root, f"{SITE}/pybernetes")
    script = f'#!/bin/sh\nexec {interpreter()} -m pybernetes.cli.main "$@"\n'
    files["usr/local/bin/pyb"] = Entry(script.encode())
    files["usr/local/bin/python3"] = Entry(target=str(interpreter()))
    return files


def project_sources() -> Iterator[Path]:
    """Every file of the project that ends up in the image, for the key under which the image is kept."""
    root = Path(pybernetes.__file__).parent
    return (path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


def tree_files(root: Path, inside: str) -> Files:
    """All modules, libraries and data below `root`, as paths below `inside`."""
    files: Files = {}
    for path in sorted(root.iterdir()):
        name = f"{inside}/{path.name}"
        if path.name in _NOT_NEEDED or path.name.startswith("config-") or _NOT_NEEDED_LIBRARIES.match(path.name):
            continue
        if path.is_dir():
            files |= tree_files(path, name)
        elif path.suffix == ".py":
            files |= _compiled(path, name)
        elif path.suffix not in (".pyi", ".a", ".exe"):
            files[name] = Entry(path)
    return files


def _compiled(path: Path, name: str) -> Files:
    """The module as an unchecked hash-based .pyc: valid whatever the file's date; the host's own cache is used."""
    code = SourceFileLoader(path.stem, str(path)).get_code(path.stem)
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    return {f"{name}c": Entry(header + marshal.dumps(code), mode=0o644)}


def _is_library(entry: Entry) -> bool:
    return isinstance(entry.data, Path) and entry.data.suffix == ".so"


def _closure(roots: tuple[str, ...]) -> set[str]:
    """The distributions that the roots require here, extras left out."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            requirements = importlib.metadata.distribution(name).requires or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.split(r"[ ;<>=!~\[(]", line, maxsplit=1)[0] for line in requirements if "extra ==" not in line]
    return found
