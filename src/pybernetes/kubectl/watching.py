"""What happens to objects, as it happens: the present state first, then every change, over as many watches as it takes.

`changes` yields (type, object); verbs that wait (`delete`, `wait`, `rollout status`, `get -w`) read it until they have
seen what they want, under `asyncio.timeout`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, cast

from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import Status
from pybernetes.client import Expired
from pybernetes.client.lines import LineSplitter
from pybernetes.kubectl.resources import Resource
from pybernetes.kubectl.session import Session

Event = tuple[str, dict[str, Any]]


def selecting(name: str = "", labels: str = "", fields: str = "") -> list[tuple[str, str]]:
    """The query that selects objects; a name is a field selector."""
    fields = ",".join(part for part in (f"metadata.name={name}" if name else "", fields) if part)
    return [(key, value) for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value]


async def events(
    session: Session, path: str, query: list[tuple[str, str]], version: str, accept: str = ""
) -> AsyncGenerator[Event, None]:
    """One watch after a revision, until the server ends it. ERROR events are raised."""
    query = [*query, ("watch", "true"), ("resourceVersion", version)]
    response = await session.send("GET", path, query, headers={"accept": accept} if accept else {})
    splitter = LineSplitter()
    assert response.stream is not None
    async with aclosing(cast("AsyncGenerator[bytes, None]", response.stream)) as stream:
        async for chunk in stream:
            for line in splitter.feed(chunk):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise StatusError(Status(code=status.get("code"), message=status.get("message")))
                yield event["type"], event["object"]


async def changes(
    session: Session, resource: Resource, namespace: str, query: list[tuple[str, str]]
) -> AsyncGenerator[Event, None]:
    """LISTED with a list as object at the start and whenever a watch has to begin anew; then each change."""
    path = resource.path(namespace)
    while True:
        listed = await session.request("GET", path, query)
        yield "LISTED", listed
        version = listed["metadata"].get("resourceVersion", "")
        try:
            async with aclosing(events(session, path, query, version)) as following:
                async for type_, obj in following:
                    if type_ != "BOOKMARK":
                        yield type_, obj
        except Expired:
            continue
        except StatusError as failure:
            if failure.code != 410:
                raise


async def until(
    session: Session,
    resource: Resource,
    where: tuple[str, str],
    satisfied: Callable[[dict[str, Any] | None], bool],
) -> None:
    """Waits until `satisfied` holds of the object (namespace, name), or of None when it is not there."""
    namespace, name = where
    async with aclosing(changes(session, resource, namespace, selecting(name))) as following:
        async for type_, obj in following:
            current = _current(type_, obj)
            if satisfied(current):
                return


def _current(type_: str, obj: dict[str, Any]) -> dict[str, Any] | None:
    if type_ == "LISTED":
        items = obj.get("items") or [None]
        return cast("dict[str, Any] | None", items[0])
    return None if type_ == "DELETED" else obj
