"""Lists of many objects: by label, by page, in pieces."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.apiserver.conftest import Caller

MAPS = "/api/v1/namespaces/default/configmaps"
OTHERS = "/api/v1/namespaces/kube-system/configmaps"


async def fill(call: Caller, count: int, path: str = MAPS) -> None:
    for number in range(count):
        labels = {"tier": "rare" if number % 100 == 0 else "common", "odd": str(number % 2)}
        code, _ = await call("POST", path, {"metadata": {"name": f"m-{number:04}", "labels": labels}})
        assert code == 201


def names(listed: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_lists_by_label_follow_every_change(call: Caller) -> None:
    await fill(call, 600)
    rare = [f"m-{number:04}" for number in range(0, 600, 100)]
    assert names((await call("GET", f"{MAPS}?labelSelector=tier%3Drare"))[1]) == rare
    await call("PATCH", f"{MAPS}/m-0100", {"metadata": {"labels": {"tier": None}}}, content_type=MERGE)
    await call("PATCH", f"{MAPS}/m-0101", {"metadata": {"labels": {"tier": "rare"}}}, content_type=MERGE)
    await call("DELETE", f"{MAPS}/m-0200")
    expected = ["m-0000", "m-0101", "m-0300", "m-0400", "m-0500"]
    assert names((await call("GET", f"{MAPS}?labelSelector=tier%3Drare"))[1]) == expected
    assert names((await call("GET", f"{MAPS}?labelSelector=tier+in+(rare,none),odd%3D0"))[1]) == [
        "m-0000",
        "m-0300",
        "m-0400",
        "m-0500",
    ]
    assert names((await call("GET", f"{MAPS}?labelSelector=tier%3Drare&limit=2"))[1]) == expected[:2]
    assert names((await call("GET", f"{MAPS}?labelSelector=tier%3Dnone"))[1]) == []
    assert names((await call("GET", f"{MAPS}?labelSelector=tier!%3Dcommon"))[1]) == ["m-0000", "m-0100", *expected[1:]]


MERGE = "application/merge-patch+json"


async def test_label_lists_stay_in_their_namespace(call: Caller) -> None:
    await fill(call, 510)
    await fill(call, 101, OTHERS)
    assert names((await call("GET", f"{OTHERS}?labelSelector=tier%3Drare"))[1]) == ["m-0000", "m-0100"]
    every = (await call("GET", "/api/v1/configmaps?labelSelector=tier%3Drare"))[1]
    spaces = [item["metadata"]["namespace"] for item in every["items"]]
    assert spaces == sorted(spaces) and len(spaces) == 8


async def test_pages_add_up_to_the_list_and_count_what_is_left(call: Caller) -> None:
    await fill(call, 25)
    whole = names((await call("GET", MAPS))[1])
    found: list[str] = []
    page = (await call("GET", f"{MAPS}?limit=10"))[1]
    left = []
    while token := page["metadata"].get("continue"):
        found += names(page)
        left.append(page["metadata"]["remainingItemCount"])
        # What comes and goes meanwhile is in no later page.
        await call("POST", MAPS, {"metadata": {"name": f"zz-{len(found)}"}})
        await call("DELETE", f"{MAPS}/m-{len(found) + 2:04}")
        page = (await call("GET", f"{MAPS}?limit=10&continue={token}"))[1]
    assert found + names(page) == whole
    assert left == [len(whole) - 10, len(whole) - 20]


async def test_a_long_list_comes_in_pieces_that_make_one_document(call: Caller) -> None:
    await fill(call, 1010)
    response = await call.send("GET", MAPS)
    assert response.stream is not None
    document = msgspec.json.decode(b"".join([piece async for piece in response.stream]))
    assert document["kind"] == "ConfigMapList"
    listed = names(document)
    assert listed == sorted(listed) and len(listed) == 1010
    last = (await call("GET", f"{MAPS}/m-1009"))[1]
    assert document["items"][-1] == {key: value for key, value in last.items() if key not in ("kind", "apiVersion")}


@pytest.mark.parametrize(
    ("form", "items"),
    [("Table", "rows"), ("PartialObjectMetadataList", "items")],
)
async def test_a_long_list_in_another_form_comes_in_pieces_too(call: Caller, form: str, items: str) -> None:
    await fill(call, 1010)
    accept = f"application/json;as={form};g=meta.k8s.io;v=v1"
    response = await call.send("GET", MAPS, accept=accept)
    assert response.stream is not None
    pieces = [piece async for piece in response.stream]
    assert len(pieces) > 5
    document = msgspec.json.decode(b"".join(pieces))
    assert document["kind"] == form
    code, half = await call("GET", f"{MAPS}?limit=505", accept=accept)
    token = half["metadata"]["continue"]
    _, other = await call("GET", f"{MAPS}?limit=505&continue={token}", accept=accept)
    assert code == 200
    assert document[items] == half[items] + other[items]
    assert document.get("columnDefinitions") == half.get("columnDefinitions")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("metadata.name=m-0000", 1),
        ("metadata.name=m-0000,metadata.name=m-0001", 0),
        ("metadata.name=m-0000,metadata.name!=m-0000", 0),
        ("metadata.name=m-0000,metadata.namespace=default", 1),
        ("metadata.name=m-0000,metadata.namespace=", 0),
    ],
)
async def test_all_that_is_said_of_a_name_counts(call: Caller, selector: str, found: int) -> None:
    await fill(call, 2)
    for path in (MAPS, "/api/v1/configmaps"):
        code, listed = await call("GET", f"{path}?fieldSelector={quote(selector)}")
        assert (code, len(listed["items"])) == (200, found)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 200),
        ("&fieldSelector=metadata.name%3Dm-0000", 200),
        ("&fieldSelector=metadata.name%3Dm-0000,metadata.namespace%3Dx", 200),
        ("&fieldSelector=metadata.name%3Dm-0001", 400),
        ("&fieldSelector=metadata.namespace%3Ddefault", 400),
    ],
)
async def test_a_selector_may_not_contradict_the_path(call: Caller, query: str, code: int) -> None:
    response = await call.send("GET", f"{MAPS}/m-0000?watch=1&timeoutSeconds=1{query}")
    assert response.status == code
