"""Lists that Go writes as null: who sends an empty one owns it, although the two are stored alike."""

from __future__ import annotations

RANGES = "/api/v1/namespaces/default/limitranges"


async def managers(call, name: str) -> list[tuple[str, dict]]:
    _, found = await call("GET", f"{RANGES}/{name}")
    assert found["spec"] == {"limits": None}
    return [(entry["manager"], entry["fieldsV1"]) for entry in found["metadata"].get("managedFields", [])]


async def test_an_empty_list_is_owned_and_an_absent_one_is_nobodys(call):
    owned = [("a", {"f:spec": {"f:limits": {}}})]
    for name, spec, wanted in (("given", {"limits": []}, owned), ("null", {"limits": None}, []), ("absent", {}, [])):
        body = {"metadata": {"name": name}, "spec": spec}
        assert (await call("POST", f"{RANGES}?fieldManager=a", body))[0] == 201
        assert await managers(call, name) == wanted
        label = {"metadata": {"labels": {"x": "y"}}}
        merge = "application/merge-patch+json"
        assert (await call("PATCH", f"{RANGES}/{name}?fieldManager=b", label, content_type=merge))[0] == 200
        assert [fields for manager, fields in await managers(call, name) if manager == "a"] == [f for _, f in wanted]
