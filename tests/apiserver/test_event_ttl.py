"""Events are forgotten after --event-ttl."""

from __future__ import annotations

import msgspec

from tests.apiserver.conftest import Caller
from tests.apiserver.test_in_flight import started

EVENTS = "/api/v1/namespaces/default/events"
EVENT = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}}


async def test_an_event_goes_when_its_time_is_over(service_account_key: bytes) -> None:
    api, store = await started(service_account_key, event_ttl=0.05)
    call = Caller(api)
    watch = await call.send("GET", f"{EVENTS}?watch=1")
    assert (await call("POST", EVENTS, EVENT))[0] == 201
    assert watch.stream is not None
    text = b""
    while text.count(b"\n") < 2:
        text += await anext(watch.stream)
    assert [msgspec.json.decode(line)["type"] for line in text.splitlines()] == ["ADDED", "DELETED"]
    assert (await call("GET", f"{EVENTS}/e"))[0] == 404
    api.close()
    await store.close()
