"""The rules of the house that a machine can check: sizes, names, docstrings, banned calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "pybernetes"
GENERATED = SOURCE / "api" / "types"
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
# What only `environment` may call -> what everyone else uses.
BANNED = {
    "time.time": "the Clock",
    "datetime.now": "the Clock",
    "datetime.utcnow": "the Clock",
    "uuid.uuid4": "Chance.uid",
    "random.random": "Chance",
    "random.choice": "Chance",
}
# The walkthrough watches the clock on the wall as its reader does.
UNBANNED = ("environment", "walkthrough")


def modules() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if GENERATED not in path.parents]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in modules()}


def test_files_are_short(trees: dict[Path, ast.Module]) -> None:
    long = {
        str(path.relative_to(SOURCE)): n for path in trees if (n := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert long == {}


def test_functions_are_short(trees: dict[Path, ast.Module]) -> None:
    long = [
        f"{path.relative_to(SOURCE)}:{function.name}"
        for path, tree in trees.items()
        for function in functions(tree)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_module_says_what_it_is(trees: dict[Path, ast.Module]) -> None:
    assert [str(path.relative_to(SOURCE)) for path, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_no_module_is_a_drawer(trees: dict[Path, ast.Module]) -> None:
    assert [
        str(path.relative_to(SOURCE)) for path in trees if path.stem in DRAWERS or path.parent.name in DRAWERS
    ] == []


def test_time_and_chance_are_handed_in(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {name} (use {BANNED[name]})"
        for path, tree in trees.items()
        if path.relative_to(SOURCE).parts[0] not in UNBANNED
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in BANNED
    ]
    assert found == []


def test_nothing_is_left_to_be_fixed_later(trees: dict[Path, ast.Module]) -> None:
    marks = ("FIXME", "TODO", "XXX", "HACK")
    found = [str(path.relative_to(SOURCE)) for path in trees if any(mark in path.read_text() for mark in marks)]
    assert found == []
