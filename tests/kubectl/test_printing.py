"""Tables and columns."""

from __future__ import annotations

from pybernetes.kubectl.describe.writing import Writing
from pybernetes.kubectl.printing import Columns, TableStyle, aligned, as_json, shown_cell, shown_table

TABLE = {
    "columnDefinitions": [
        {"name": "Name", "format": "name", "priority": 0},
        {"name": "Restarts", "priority": 0},
        {"name": "Node", "priority": 1},
    ],
    "rows": [
        {"cells": ["web", 0, "worker-1"], "object": {"metadata": {"namespace": "shop", "labels": {"tier": "fe"}}}},
        {"cells": ["a\nb", None, "x"], "object": {"metadata": {"namespace": "shop"}}},
    ],
}


def text(style: TableStyle) -> list[str]:
    shown = shown_table(TABLE, style)
    return Columns().lines([shown.header, *shown.rows])


def test_three_blanks_between_columns() -> None:
    assert text(TableStyle()) == ["NAME   RESTARTS", "web    0", "a...   "]


def test_everything_that_get_can_add() -> None:
    style = TableStyle(wide=True, namespaces=True, labels=True, label_columns=("example.io/tier", "tier"), kind="pod")
    assert text(style) == [
        "NAMESPACE   NAME       RESTARTS   NODE       TIER   TIER   LABELS",
        "shop        pod/web    0          worker-1          fe     tier=fe",
        "shop        pod/a...              x                        <none>",
    ]


def test_rows_that_come_later_stand_under_the_same_headers() -> None:
    columns = Columns()
    assert columns.lines([["NAME", "AGE"], ["long-name", "1s"]]) == ["NAME        AGE", "long-name   1s"]
    assert columns.lines([["x", "2s"]]) == ["x           2s"]


def test_lines_with_tabs_are_aligned_with_their_neighbours() -> None:
    assert (
        aligned("Name:\tx\nLabels:\ta=b\n\tc=d\nData\nk:\tv\n")
        == "Name:    x\nLabels:  a=b\n         c=d\nData\nk:  v\n"
    )


def test_json_is_written_as_go_writes_it() -> None:
    assert as_json({"b": "<&>", "a": []}) == '{\n    "a": [],\n    "b": "\\u003c\\u0026\\u003e"\n}\n'


def test_nothing_that_others_wrote_commands_the_terminal() -> None:
    writing = Writing()
    writing.pair("Message", "red\x1b[31m \x1b]0;title\x07 over\rwritten\x9b2J")
    assert writing.text() == "Message:  red^[[31m ^[]0;title^G over\\rwritten^[2J\n"
    assert shown_cell("red\x1b[31m") == "red^[[31m"
