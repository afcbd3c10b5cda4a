"""[sig-api-machinery] Watchers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.conformance.driving import Api, Json, Watching, alone

A, B = "multiple-watchers-A", "multiple-watchers-B"


def config_map(name: str, label: str) -> Json:
    return {"metadata": {"name": name, "labels": {"watch-this-configmap": label}}}


def labelled(api: Api, *values: str) -> str:
    return api.at("v1", f"configmaps?labelSelector=watch-this-configmap+in+%28{'%2C'.join(values)}%29")


async def mutate(api: Api, name: str, value: str) -> Json:
    def change(obj: Json) -> None:
        obj["data"] = {"mutation": value}

    return await api.edit(api.at("v1", "configmaps", name), change)


async def saw(watching: Watching, *kinds: str) -> list[Json]:
    """The objects of the next events, which must be of just these kinds."""
    events = [await watching.next() for _ in kinds]
    assert [kind for kind, _ in events] == list(kinds)
    return [obj for _, obj in events]


async def silent(watching: Watching) -> None:
    try:
        event = await asyncio.wait_for(watching.next(), 10)
    except TimeoutError:
        return
    raise AssertionError(event)


@alone
async def test_observes_add_update_and_delete_notifications_on_configmaps(api: Api) -> None:
    """Watchers should observe add, update, and delete watch notifications on configmaps."""
    async with AsyncExitStack() as stack:
        of_a, of_b, of_both = [
            await stack.enter_async_context(api.watch(labelled(api, *values))) for values in ((A,), (B,), (A, B))
        ]
        place = api.at("v1", "configmaps")
        await api.post(place, config_map("a", A))
        await mutate(api, "a", "1")
        await mutate(api, "a", "2")
        await api.delete(f"{place}/a")
        for watching in (of_a, of_both):
            seen = await saw(watching, "ADDED", "MODIFIED", "MODIFIED", "DELETED")
            assert [obj.get("data") for obj in seen] == [None, {"mutation": "1"}, {"mutation": "2"}, {"mutation": "2"}]
        await api.post(place, config_map("b", B))
        await api.delete(f"{place}/b")
        for watching in (of_b, of_both):
            await saw(watching, "ADDED", "DELETED")
        await silent(of_a)


@alone
async def test_starts_from_a_specific_resource_version(api: Api) -> None:
    """Watchers should be able to start watching from a specific resource version."""
    place = api.at("v1", "configmaps")
    await api.post(place, config_map("a", A))
    first = await mutate(api, "a", "1")
    await mutate(api, "a", "2")
    await api.delete(f"{place}/a")
    since = f"&resourceVersion={first['metadata']['resourceVersion']}"
    async with api.watch(labelled(api, A) + since) as watching:
        modified, _ = await saw(watching, "MODIFIED", "DELETED")
        assert modified["data"] == {"mutation": "2"}


@alone
async def test_restarts_from_the_last_resource_version_observed(api: Api) -> None:
    """Watchers should be able to restart watching from the last resource version observed by the previous watch."""
    place = api.at("v1", "configmaps")
    async with api.watch(labelled(api, A)) as watching:
        await api.post(place, config_map("a", A))
        await mutate(api, "a", "1")
        _, last = await saw(watching, "ADDED", "MODIFIED")
    await mutate(api, "a", "2")
    async with api.watch(f"{labelled(api, A)}&resourceVersion={last['metadata']['resourceVersion']}") as watching:
        await api.delete(f"{place}/a")
        modified, _ = await saw(watching, "MODIFIED", "DELETED")
        assert modified["data"] == {"mutation": "2"}


@alone
async def test_observes_a_deletion_when_the_selector_is_no_longer_met(api: Api) -> None:
    """Watchers should observe an object deletion if it stops meeting the requirements of the selector."""
    path = api.at("v1", "configmaps", "a")
    async with api.watch(labelled(api, A)) as watching:
        await api.post(api.at("v1", "configmaps"), config_map("a", A))
        await mutate(api, "a", "1")
        await api.patch(path, {"metadata": {"labels": {"watch-this-configmap": "wrong-value"}}})
        *_, gone = await saw(watching, "ADDED", "MODIFIED", "DELETED")
        assert gone["data"] == {"mutation": "1"}
        await mutate(api, "a", "2")
        await silent(watching)
    async with api.watch(f"{labelled(api, A)}&resourceVersion={gone['metadata']['resourceVersion']}") as watching:
        await api.patch(path, {"metadata": {"labels": {"watch-this-configmap": A}}})
        await mutate(api, "a", "3")
        await api.delete(path)
        added, modified, deleted = await saw(watching, "ADDED", "MODIFIED", "DELETED")
        assert [obj["data"]["mutation"] for obj in (added, modified, deleted)] == ["2", "3", "3"]


@alone
async def test_concurrent_watches_receive_events_in_the_same_order(api: Api) -> None:
    """Watchers should receive events on concurrent watches in same order."""
    place = api.at("v1", "configmaps")
    since = (await api.get(place))["metadata"]["resourceVersion"]

    async def write() -> None:
        for number in range(40):
            await api.post(place, config_map(f"cm-{number}", A))
            await mutate(api, f"cm-{number}", "1")
            if number % 3 == 0:
                await api.delete(f"{place}/cm-{number}")

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(api.watch(f"{place}?resourceVersion={since}"))
        writing = asyncio.ensure_future(write())
        watches: list[Watching] = []
        for _ in range(94):
            version = (await first.next())[1]["metadata"]["resourceVersion"]
            watches.append(await stack.enter_async_context(api.watch(f"{place}?resourceVersion={since}")))
            since = version
            versions = {(await watching.next())[1]["metadata"]["resourceVersion"] for watching in watches}
            assert versions == {version}
        await writing
