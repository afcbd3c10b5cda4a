"""The sequence of requests that "should support ... API operations" means for any kind, as upstream's tests send it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.driving import Api, Json

LABEL = "special-label=e2e"


@dataclass(frozen=True)
class Kind:
    """A row of the table: where a kind lives, what an object of it is, and what its status may be given."""

    group_version: str
    resource: str
    kind: str
    body: Json
    subresources: tuple[str, ...] = ()
    status: Json = field(default_factory=dict)
    namespaced: bool = True
    guards_metadata: bool = False  # a write of the status leaves the annotations as they are
    chosen_by: str = f"labelSelector={LABEL.replace('=', '%3D')}"

    def __str__(self) -> str:
        return self.resource


async def supports_operations(api: Api, kind: Kind) -> None:
    """Discovery, create, get, list, watch, patch, update, status, delete and deletecollection."""
    await _is_discovered(api, kind)
    place = (api.at if kind.namespaced else api.root)(kind.group_version, kind.resource)
    created = [await api.post(place, _object(kind)) for _ in range(3)]
    uid, path = created[2]["metadata"]["uid"], f"{place}/{created[2]['metadata']['name']}"
    got = await api.get(path)
    assert got["metadata"]["uid"] == uid
    assert (got["apiVersion"], got["kind"]) == (kind.group_version, kind.kind)
    for where in {place, api.root(kind.group_version, kind.resource)}:
        assert len(await api.items(f"{where}?{kind.chosen_by}")) == 3
    await _is_changed_and_watched(api, kind, place, path)
    if "status" in kind.subresources:
        await _has_a_status(api, kind, path, uid)
    await _is_deleted(api, kind, place, path)


def _object(kind: Kind) -> Json:
    key, _, value = LABEL.partition("=")
    metadata = {"generateName": "e2e-example-", "labels": {key: value}}
    return {"apiVersion": kind.group_version, "kind": kind.kind, "metadata": metadata, **kind.body}


async def _is_discovered(api: Api, kind: Kind) -> None:
    group, _, version = kind.group_version.rpartition("/")
    if group:
        groups = {each["name"]: each for each in (await api.get("/apis"))["groups"]}
        assert version in [each["version"] for each in groups[group]["versions"]]
        alone = await api.get(f"/apis/{group}")
        assert version in [each["version"] for each in alone["versions"]]
    found = {each["name"] for each in (await api.get(api.root(kind.group_version, "")))["resources"]}
    assert {kind.resource, *(f"{kind.resource}/{sub}" for sub in kind.subresources)} <= found


async def _is_changed_and_watched(api: Api, kind: Kind, place: str, path: str) -> None:
    listed = await api.get(f"{place}?{kind.chosen_by}")
    name = path.rpartition("/")[2]
    since = f"resourceVersion={listed['metadata']['resourceVersion']}&fieldSelector=metadata.name%3D{name}"
    async with api.watch(f"{place}?{since}") as watching:
        patched = await api.patch(path, {"metadata": {"annotations": {"patched": "true"}}})
        assert patched["metadata"]["annotations"]["patched"] == "true"
        patched["metadata"]["annotations"]["updated"] = "true"
        updated = await api.put(path, patched)
        assert updated["metadata"]["annotations"]["updated"] == "true"
        kind_of_event, obj = await watching.next()
        assert kind_of_event == "MODIFIED" and obj["metadata"]["annotations"]["patched"] == "true"
        assert (obj["apiVersion"], obj["kind"]) == (kind.group_version, kind.kind)
        await watching.until("MODIFIED", lambda seen: "updated" in seen["metadata"]["annotations"])


async def _has_a_status(api: Api, kind: Kind, path: str, uid: str) -> None:
    got = await api.get(f"{path}/status")
    assert (got["kind"], got["metadata"]["uid"]) == (kind.kind, uid)
    change = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": kind.status}
    patched = await api.patch(f"{path}/status", change)
    assert includes(patched["status"], kind.status)
    if not kind.guards_metadata:
        assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
    again = await api.put(f"{path}/status", patched)
    assert includes(again["status"], kind.status)


def includes(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is found, whatever else is there."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(includes(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(includes(each, one) for each in found) for one in wanted)
    return bool(found == wanted)


async def _is_deleted(api: Api, kind: Kind, place: str, path: str) -> None:
    chosen = f"{place}?{kind.chosen_by}"
    since = (await api.get(chosen))["metadata"]["resourceVersion"]
    async with api.watch(f"{chosen}&resourceVersion={since}") as watching, asyncio.timeout(600):
        await api.delete(path)
        await api.until(lambda: api.gone(path))
        assert len(await api.items(chosen)) == 2
        await api.delete(chosen)
        await api.until(lambda: _none_left(api, chosen))
        for _ in range(3):
            await watching.until("DELETED")


async def _none_left(api: Api, chosen: str) -> bool:
    return not await api.items(chosen)
