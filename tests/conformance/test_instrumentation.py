"""[sig-instrumentation] Events, in the core group and in their own."""

from __future__ import annotations

from tests.conformance.driving import Api, Json, alone

MICRO = "2017-09-19T13:49:16.000000Z"


def core_event(api: Api, name: str, label: str) -> Json:
    return {
        "metadata": {"name": name, "labels": {label: "true"}},
        "message": f"This is {name}",
        "reason": "Test",
        "type": "Normal",
        "count": 1,
        "involvedObject": {"namespace": api.namespace},
    }


def new_event(api: Api, name: str, label: str) -> Json:
    return {
        "metadata": {"name": name, "labels": {label: "true"}},
        "regarding": {"namespace": api.namespace},
        "eventTime": MICRO,
        "note": f"This is {name}",
        "action": "Do",
        "reason": "Test",
        "type": "Normal",
        "reportingController": "test-controller",
        "reportingInstance": "test-node",
    }


def without_book_keeping(obj: Json) -> Json:
    kept = {key: value for key, value in obj["metadata"].items() if key not in ("resourceVersion", "managedFields")}
    return {**obj, "metadata": kept}


@alone
async def test_events_are_deleted_by_collection(api: Api) -> None:
    """Events / Events API should delete a collection of events."""
    for group_version, make in (("v1", core_event), ("events.k8s.io/v1", new_event)):
        place = api.at(group_version, "events")
        for number in range(1, 4):
            await api.post(place, make(api, f"test-event-{number}", "testevent-set"))
        chosen = f"{place}?labelSelector=testevent-set%3Dtrue"
        assert len(await api.items(chosen)) == 3
        await api.delete(chosen)
        assert not await api.items(chosen)


@alone
async def test_lifecycle_of_a_core_event(api: Api) -> None:
    """Events should manage the lifecycle of an event."""
    place = api.at("v1", "events")
    await api.post(place, core_event(api, "event-test", "testevent-constant"))
    everywhere = "/api/v1/events?labelSelector=testevent-constant%3Dtrue"
    assert [each["metadata"]["name"] for each in await api.items(everywhere)] == ["event-test"]
    await api.patch(f"{place}/event-test", {"message": "This is a test event - patched"}, "strategic")
    patched = await api.get(f"{place}/event-test")
    assert patched["message"] == "This is a test event - patched"
    patched["series"] = {"count": 100, "lastObservedTime": MICRO}
    await api.put(f"{place}/event-test", patched)
    assert (await api.get(f"{place}/event-test"))["series"] == {"count": 100, "lastObservedTime": MICRO}
    await api.delete(f"{place}/event-test")
    assert not await api.items(everywhere)


@alone
async def test_lifecycle_of_a_new_event(api: Api) -> None:
    """Events API should ensure that an event can be fetched, patched, deleted, and listed."""
    place = api.at("events.k8s.io/v1", "events")
    await api.post(place, new_event(api, "event-test", "testevent-constant"))
    chosen = "events?labelSelector=testevent-constant%3Dtrue"
    for where in (api.root("events.k8s.io/v1", chosen), api.at("events.k8s.io/v1", chosen)):
        assert [each["metadata"]["name"] for each in await api.items(where)] == ["event-test"]
    for where in (api.at("v1", "events?fieldSelector=source"), f"{place}?fieldSelector=reportingController"):
        assert [each["metadata"]["name"] for each in await api.items(f"{where}%3Dtest-controller")] == ["event-test"]
    before = await api.get(f"{place}/event-test")
    await api.patch(f"{place}/event-test", {"note": "This is a test event - patched"}, "strategic")
    patched = await api.get(f"{place}/event-test")
    before["note"] = "This is a test event - patched"
    assert without_book_keeping(patched) == without_book_keeping(before)
    # As upstream: what was read before the patch, and its resourceVersion is taken out.
    before["series"] = {"count": 100, "lastObservedTime": MICRO}
    del before["metadata"]["resourceVersion"]
    await api.put(f"{place}/event-test", before)
    assert without_book_keeping(await api.get(f"{place}/event-test")) == without_book_keeping(before)
    await api.delete(f"{place}/event-test")
    for where in (api.root("events.k8s.io/v1", chosen), api.at("events.k8s.io/v1", chosen)):
        assert not await api.items(where)
