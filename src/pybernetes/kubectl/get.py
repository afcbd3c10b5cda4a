"""`kubectl get`: objects as the server's Tables or in a form of `-o`; with `-w` also what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pybernetes.api import json_path
from pybernetes.api.status import StatusError
from pybernetes.kubectl import jsonpath, output, printing, selection, watching
from pybernetes.kubectl.failures import CommandError, error, explained, several
from pybernetes.kubectl.manifests import FILES, manifest_targets
from pybernetes.kubectl.resources import Resource
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *output.FLAGS,
    *FILES,
    Flag("selector", "l"),
    Flag("field-selector"),
    switch("all-namespaces", "A"),
    switch("watch", "w"),
    switch("watch-only"),
    switch("show-labels"),
    Flag("label-columns", "L"),
    switch("show-kind"),
    switch("no-headers"),
    switch("ignore-not-found"),
    switch("output-watch-events"),
    Flag("sort-by"),
    Flag("chunk-size", default="500"),
    Flag("raw"),
    Flag("subresource"),
)
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_NOTHING_NAMED = (
    'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported '
    "resources.\n\nerror: Required resource not specified.\n"
    'Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).\n'
    "See 'kubectl get -h' for help and examples"
)


@dataclass(frozen=True)
class Found:
    """The answer for one target: a Table, an object or a list."""

    target: Target
    value: dict[str, Any]


async def run(session: Session, words: Words) -> int:
    """0 when everything named was there."""
    if words.given("raw"):
        return await _raw(session, words)
    targets = await manifest_targets(session, words) or await selection.resolve(session, words.arguments)
    if not targets:
        raise CommandError(_NOTHING_NAMED)
    if not output.is_table(words):
        output.printer(words)
    if words.on("watch") or words.on("watch-only"):
        return await _watch(session, words, targets)
    if output.is_table(words):
        return await _tables(session, words, targets)
    return await _objects(session, words, targets)


async def _raw(session: Session, words: Words) -> int:
    if words.arguments:
        raise error("arguments may not be passed when --raw is specified")
    path, _, query = words.text("raw").partition("?")
    pairs = [(part.partition("=")[0], part.partition("=")[2]) for part in query.split("&") if part]
    session.out.write((await session.send("GET", path, pairs)).body.decode())
    return 0


async def gather(
    session: Session, words: Words, targets: Sequence[Target], accept: str
) -> tuple[list[Found], list[CommandError]]:
    """What the server says of each target; failures beside, so that the rest is still shown."""
    found, failures = [], []
    for target in targets:
        try:
            found.append(Found(target, await _ask(session, words, target, accept)))
        except StatusError as failure:
            if not (failure.code == 404 and target.name and words.on("ignore-not-found")):
                failures.append(explained(_detailed(failure, words, target)))
    return found, failures


async def _ask(session: Session, words: Words, target: Target, accept: str) -> dict[str, Any]:
    resource = target.resource
    everywhere = words.on("all-namespaces") and not target.name
    path = resource.path("" if everywhere else session.namespace_of(resource), target.name, words.text("subresource"))
    headers = {"accept": accept} if accept else {}
    if target.name:
        named: dict[str, Any] = await session.request("GET", path, _table_query(words, accept), headers=headers)
        return named
    query = watching.selecting("", words.text("selector"), words.text("field-selector"))
    return await _pages(session, path, [*query, *_table_query(words, accept)], words.number("chunk-size"), headers)


def _table_query(words: Words, accept: str) -> list[tuple[str, str]]:
    """Rows come with the whole object when it is needed to sort them."""
    return [("includeObject", "Object")] if accept and words.text("sort-by") else []


async def _pages(
    session: Session, path: str, query: list[tuple[str, str]], chunk: int, headers: dict[str, str]
) -> dict[str, Any]:
    """A whole list, asked for in chunks."""
    limit = [("limit", str(chunk))] if chunk > 0 else []
    whole: dict[str, Any] = await session.request("GET", path, [*query, *limit], headers=headers)
    parts = "rows" if "rows" in whole or "columnDefinitions" in whole else "items"
    whole[parts] = whole.get(parts) or []
    token = whole["metadata"].get("continue")
    while token:
        page = await session.request("GET", path, [*query, *limit, ("continue", token)], headers=headers)
        whole[parts] += page.get(parts) or []
        token = page["metadata"].get("continue")
    whole["metadata"].pop("continue", None)
    return whole


def _detailed(failure: StatusError, words: Words, target: Target) -> StatusError:
    """A list that selectors have spoiled says what was asked."""
    labels, fields = words.text("selector"), words.text("field-selector")
    if target.name or failure.reason != "BadRequest" or not (labels or fields):
        return failure
    resource = target.resource
    failure.status.message = (
        f'Unable to find "{resource.group}/{resource.version}, Resource={resource.plural}" that match label selector '
        f'"{labels}", field selector "{fields}": {failure.status.message}'
    )
    return failure


async def _tables(session: Session, words: Words, targets: Sequence[Target]) -> int:
    found, failures = await gather(session, words, targets, TABLE)
    written = False
    for group in _merged(found):
        table = _sorted_table(group.value, words.text("sort-by"))
        shown = printing.shown_table(table, _style(words, targets, group.target.resource))
        if shown.rows:
            session.out.write("\n" * written)
            _write(session, printing.Columns(), shown, words)
            written = True
    _conclude(session, words, targets, written, failures)
    return 0


def _merged(found: Sequence[Found]) -> list[Found]:
    """Tables of the same resource that follow one another become one."""
    merged: list[Found] = []
    for item in found:
        if merged and merged[-1].target.resource == item.target.resource:
            last = merged[-1].value
            last["rows"] = [*(last.get("rows") or ()), *(item.value.get("rows") or ())]
        else:
            merged.append(item)
    return merged


def _sorted_table(table: dict[str, Any], by: str) -> dict[str, Any]:
    if by:
        path = jsonpath.parse_relaxed(by)
        table["rows"] = sorted(table.get("rows") or (), key=lambda row: sort_key(path, row.get("object") or {}))
    return table


def sort_key(path: json_path.Path, value: Any) -> list[tuple[int, float, str]]:
    """Numbers before texts, each in their order."""
    found = path.values(value)
    return [(0, float(item), "") if isinstance(item, int | float) else (1, 0.0, str(item)) for item in found]


def _style(words: Words, targets: Sequence[Target], resource: Resource) -> printing.TableStyle:
    several_kinds = len({target.resource.group_resource for target in targets}) > 1
    return printing.TableStyle(
        wide=words.text("output") == "wide",
        headers=not words.on("no-headers"),
        namespaces=words.on("all-namespaces") and resource.namespaced,
        labels=words.on("show-labels"),
        label_columns=words.listed("label-columns"),
        kind=resource.label if several_kinds or words.on("show-kind") else "",
    )


def _write(
    session: Session, columns: printing.Columns, shown: printing.Shown, words: Words, header: bool = True
) -> None:
    rows = [shown.header, *shown.rows] if header and not words.on("no-headers") else shown.rows
    session.out.write("".join(f"{line}\n" for line in columns.lines(rows)))
    session.out.flush()


def _conclude(
    session: Session, words: Words, targets: Sequence[Target], written: bool, failures: Sequence[CommandError]
) -> None:
    """Raises what has failed; says so when there is nothing at all."""
    if failures:
        raise several(failures)
    if written or words.on("ignore-not-found"):
        return
    if words.on("all-namespaces") or not all(target.resource.namespaced for target in targets):
        session.warn("No resources found")
    else:
        session.warn(f"No resources found in {session.namespace} namespace.")


async def _objects(session: Session, words: Words, targets: Sequence[Target]) -> int:
    found, failures = await gather(session, words, targets, "")
    write = output.printer(words)
    if len(targets) == 1 and targets[0].name:
        if found:
            session.out.write(write(found[0].value))
    elif found or not failures:
        items = [item for part in found for item in filled_items(part)]
        if by := words.text("sort-by"):
            path = jsonpath.parse_relaxed(by)
            items.sort(key=lambda item: sort_key(path, item))
        listed = {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}
        session.out.write(write(listed))
    if failures:
        raise several(failures)
    return 0


def filled_items(found: Found) -> list[dict[str, Any]]:
    """The objects of an answer, each saying what it is: the items of a list leave that out."""
    if found.target.name:
        return [found.value]
    resource = found.target.resource
    return [
        {"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in found.value.get("items") or ()
    ]


async def _watch(session: Session, words: Words, targets: Sequence[Target]) -> int:
    """Shows what there is, then every change, until the server or the user ends it."""
    if len(targets) > 1:
        raise error("you may only specify a single resource type")
    target = targets[0]
    tables = output.is_table(words)
    show = _watched_tables(session, words, targets) if tables else _watched_objects(session, words, target)
    resource, accept = target.resource, TABLE if tables else ""
    path = resource.path("" if words.on("all-namespaces") else session.namespace_of(resource))
    if target.name:
        await session.request("GET", resource.path(session.namespace_of(resource), target.name))
    query = watching.selecting(target.name, words.text("selector"), words.text("field-selector"))
    listed = await _pages(session, path, query, 500, {"accept": accept} if accept else {})
    if not words.on("watch-only"):
        show(listed, "ADDED")
    version = listed["metadata"].get("resourceVersion", "")
    async with aclosing(watching.events(session, path, query, version, accept)) as following:
        async for type_, value in following:
            if type_ != "BOOKMARK":
                show(value, type_)
    return 0


def _watched_tables(session: Session, words: Words, targets: Sequence[Target]) -> Any:
    columns = printing.Columns()
    style = _style(words, targets, targets[0].resource)
    header: list[list[str]] = []
    definitions: list[dict[str, Any]] = []

    def show(table: dict[str, Any], type_: str) -> None:
        # Only the first Table of a watch says what its columns are.
        definitions[:] = table.get("columnDefinitions") or definitions
        table = {**table, "columnDefinitions": definitions}
        shown = printing.shown_table(table, style)
        if words.on("output-watch-events"):
            shown = printing.Shown(["EVENT", *shown.header], [[type_, *row] for row in shown.rows])
        first = not header
        if shown.rows:
            header[:] = header or [shown.header]
            _write(session, columns, shown, words, first)

    return show


def _watched_objects(session: Session, words: Words, target: Target) -> Any:
    write = output.printer(words)

    def show(value: dict[str, Any], _type: str) -> None:
        listed = "items" in value
        for item in filled_items(Found(Target(target.resource), value)) if listed else [value]:
            session.out.write(("---\n" if words.text("output") == "yaml" else "") + write(item))
            session.out.flush()

    return show
