"""[sig-api-machinery] CustomResourceDefinition: the definitions themselves, their status, defaults and watches."""

from __future__ import annotations

import msgspec

from tests.conformance.custom import CRDS, define, definition
from tests.conformance.driving import Api, Json, Watching, alone, condition

STRING: Json = {"type": "string"}


@alone
async def test_definitions_are_created_and_deleted(api: Api) -> None:
    """Simple CustomResourceDefinition creating/deleting custom resource definition objects works."""
    made = await define(api, definition("noxus"))
    path = f"{CRDS}/{made['metadata']['name']}"
    await api.delete(path)
    await api.until(lambda: api.gone(path), 30)
    await api.until(lambda: api.gone(api.root("group.example.com/v1", "noxus")), 30)


@alone
async def test_definitions_are_listed_and_deleted_by_label(api: Api) -> None:
    """Simple CustomResourceDefinition listing custom resource definition objects works."""
    for number in range(10):
        body = definition(f"tests{number}s")
        body["metadata"]["labels"] = {"e2e-list-test-uuid": "u"}
        await define(api, body)
    await define(api, definition("others"))
    chosen = f"{CRDS}?labelSelector=e2e-list-test-uuid%3Du"
    assert len(await api.items(chosen)) == 10
    await api.delete(chosen)

    async def only_the_other() -> bool:
        return [each["metadata"]["name"] for each in await api.items(CRDS)] == ["others.group.example.com"]

    await api.until(only_the_other, 30)


@alone
async def test_status_of_definitions_is_read_updated_and_patched(api: Api) -> None:
    """Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource
    works."""
    made = await define(api, definition("noxus"))
    status = f"{CRDS}/{made['metadata']['name']}/status"
    got = await api.get(status)
    assert got["spec"] == made["spec"]

    def add(obj: Json) -> None:
        obj["status"]["conditions"].append({"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "m"})

    updated = await api.edit(status, add)
    assert condition(updated, "StatusUpdate") == "True"
    change = {"metadata": {"annotations": {"x": "y"}}, "spec": {"scope": "Namespaced"}}
    conditions = [{"type": "StatusPatched", "status": "True", "reason": "E2E", "message": "m"}]
    patched = await api.patch(status, {**change, "status": {"conditions": conditions}})
    assert condition(patched, "StatusPatched") == "True"
    assert patched["spec"]["scope"] == "Cluster"
    assert condition(await api.get(status), "StatusPatched") == "True"


@alone
async def test_definitions_are_in_discovery_documents(api: Api) -> None:
    """CustomResourceDefinition resources should include custom resource definition resources in discovery documents."""
    groups = {each["name"]: each for each in (await api.get("/apis"))["groups"]}
    wanted = {"groupVersion": "apiextensions.k8s.io/v1", "version": "v1"}
    assert wanted in groups["apiextensions.k8s.io"]["versions"]
    assert wanted in (await api.get("/apis/apiextensions.k8s.io"))["versions"]
    found = {each["name"] for each in (await api.get("/apis/apiextensions.k8s.io/v1"))["resources"]}
    assert found >= {"customresourcedefinitions", "customresourcedefinitions/status"}


@alone
async def test_defaults_for_requests_and_from_storage(api: Api) -> None:
    """CustomResourceDefinition resources custom resource defaulting for requests and from storage works."""
    made = await define(api, definition("noxus", {"type": "object", "properties": {"a": STRING, "b": STRING}}))
    path = f"{CRDS}/{made['metadata']['name']}"
    place = api.root("group.example.com/v1", "noxus")
    await api.post(place, {"apiVersion": "group.example.com/v1", "kind": "Noxu", "metadata": {"name": "one"}})
    where = "/spec/versions/0/schema/openAPIV3Schema/properties"
    await api.patch(path, [{"op": "add", "path": f"{where}/a/default", "value": "A"}], "json")

    async def of(name: str, key: str) -> str | None:
        found: str | None = (await api.get(f"{place}/{name}")).get(key)
        return found

    await api.until(lambda: of("one", "a"), 30)
    second = {"apiVersion": "group.example.com/v1", "kind": "Noxu", "metadata": {"name": "two"}}
    assert (await api.post(place, second))["a"] == "A"
    change = [
        {"op": "remove", "path": f"{where}/a/default"},
        {"op": "add", "path": f"{where}/b/default", "value": "B"},
    ]
    await api.patch(path, change, "json")
    await api.until(lambda: of("two", "b"), 30)
    assert (await of("two", "a"), await of("two", "b")) == ("A", "B")
    assert await of("one", "a") is None


@alone
async def test_watch_on_custom_resources(api: Api) -> None:
    """CustomResourceDefinition Watch watch on custom resource definition objects."""
    await define(api, definition("noxus"))
    place = api.root("group.example.com/v1", "noxus")
    for name in ("name1", "name2"):
        async with api.watch(f"{place}?fieldSelector=metadata.name%3D{name}") as watching:
            body = {
                "apiVersion": "group.example.com/v1",
                "kind": "Noxu",
                "metadata": {"name": name},
                "num": {"num1": 1},
            }
            await api.post(place, body)
            assert (await watching.next())[0] == "ADDED"
            change = {"op": "replace", "path": "/num/num1", "value": 2}
            await api.patch(f"{place}/{name}", [change], "json")
            kind, obj = await watching.next()
            assert (kind, obj["num"]) == ("MODIFIED", {"num1": 2})
            await api.delete(f"{place}/{name}")
            assert (await watching.next())[0] == "DELETED"


async def told(watching: Watching, *events: tuple[str, str]) -> None:
    """The next events, in any order, are these: kind and name."""
    found = [await watching.next() for _ in events]
    assert sorted((kind, obj["metadata"]["name"]) for kind, obj in found) == sorted(events)


@alone
async def test_lists_and_watches_of_selected_fields(api: Api) -> None:
    """CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector.

    Upstream's two versions differ in shape and a webhook converts them; here both have all fields.
    """
    body = definition(
        "ports",
        {"type": "object", "properties": dict.fromkeys(("host", "port", "hostPort"), STRING)},
        scope="Namespaced",
        versions=("v1", "v2"),
    )
    first, second = body["spec"]["versions"]
    first["selectableFields"] = [{"jsonPath": ".hostPort"}]
    second["selectableFields"] = [{"jsonPath": ".host"}, {"jsonPath": ".port"}]
    await define(api, body)
    v1, v2 = (api.at(f"group.example.com/{version}", "ports") for version in ("v1", "v2"))
    host, both, joint = "host%3Dhost1", "host%3Dhost1%2Cport%3D80", "hostPort%3Dhost1:80"

    async def listed(place: str, selector: str) -> list[str]:
        return [each["metadata"]["name"] for each in await api.items(f"{place}?fieldSelector={selector}")]

    async with (
        api.watch(f"{v2}?fieldSelector={host}") as of_host,
        api.watch(f"{v2}?fieldSelector={both}") as of_both,
        api.watch(f"{v1}?fieldSelector={joint}") as of_joint,
    ):
        for name, fields in (
            ("a", {"host": "host1", "port": "80", "hostPort": "host1:80"}),
            ("b", {"host": "host1", "port": "8080", "hostPort": "host1:8080"}),
            ("c", {"host": "host2"}),
        ):
            await api.post(
                v2, {"apiVersion": "group.example.com/v2", "kind": "Port", "metadata": {"name": name}, **fields}
            )
        assert await listed(v2, host) == ["a", "b"]
        assert await listed(v2, both) == ["a"]
        assert await listed(v1, joint) == ["a"]
        assert await listed(v1, "hostPort%3Dhost1:8080") == ["b"]
        # A version knows the fields it names itself, and no others.
        await api.refused(400, listed(v1, host))
        await told(of_host, ("ADDED", "a"), ("ADDED", "b"))
        await told(of_both, ("ADDED", "a"))
        await told(of_joint, ("ADDED", "a"))
        await api.delete(f"{v2}?fieldSelector={both}", gracePeriodSeconds=0)
        changed = await api.get(f"{v2}/b")
        changed["host"] = "host2"
        await api.put(f"{v2}/b", changed)
        assert not await listed(v2, host)
        assert not await listed(v2, both)
        assert await listed(v2, "host%3Dhost2") == ["b", "c"]
        await told(of_host, ("DELETED", "a"), ("DELETED", "b"))
        await told(of_both, ("DELETED", "a"))
        await told(of_joint, ("DELETED", "a"))


async def published(api: Api) -> Json:
    """The definitions of /openapi/v2."""
    document: Json = msgspec.json.decode((await api.send("GET", "/openapi/v2")).body)
    found: Json = document["definitions"]
    return found


def names(document: Json, *kinds: tuple[str, str, str]) -> bool:
    """Whether the document has a definition for each (group, version, kind)."""
    found = {
        (each["group"], each["version"], each["kind"])
        for one in document.values()
        for each in one.get("x-kubernetes-group-version-kind", [])
    }
    return set(kinds) <= found


SCHEMA: Json = {
    "type": "object",
    "description": "Foo CRD for Testing",
    "properties": {"spec": {"type": "object", "properties": {"bars": {"type": "array", "items": STRING}}}},
}


@alone
async def test_several_definitions_are_published(api: Api) -> None:
    """CustomResourcePublishOpenAPI works for multiple CRDs of different groups / of same group but different versions /
    of same group and version but different kinds."""
    await define(api, definition("foos", SCHEMA, group="one.example.com"))
    await define(api, definition("waldos", SCHEMA, group="two.example.com", versions=("v1", "v2")))
    await define(api, definition("bars", SCHEMA, group="one.example.com"))
    document = await published(api)
    assert names(
        document,
        ("one.example.com", "v1", "Foo"),
        ("one.example.com", "v1", "Bar"),
        ("two.example.com", "v1", "Waldo"),
        ("two.example.com", "v2", "Waldo"),
    )
    shown = document["com.example.one.v1.Foo"]
    assert shown["description"] == "Foo CRD for Testing"
    assert shown["properties"]["spec"]["properties"] == {"bars": {"type": "array", "items": STRING}}


@alone
async def test_a_renamed_version_is_published(api: Api) -> None:
    """CustomResourcePublishOpenAPI updates the published spec when one version gets renamed."""
    made = await define(api, definition("foos", SCHEMA, versions=("v2", "v3")))
    assert names(await published(api), ("group.example.com", "v2", "Foo"), ("group.example.com", "v3", "Foo"))
    path = f"{CRDS}/{made['metadata']['name']}"
    await api.patch(path, [{"op": "replace", "path": "/spec/versions/1/name", "value": "v4"}], "json")

    async def renamed() -> bool:
        document = await published(api)
        return names(document, ("group.example.com", "v4", "Foo"), ("group.example.com", "v2", "Foo")) and not names(
            document, ("group.example.com", "v3", "Foo")
        )

    await api.until(renamed, 30)


@alone
async def test_a_version_no_longer_served_is_not_published(api: Api) -> None:
    """CustomResourcePublishOpenAPI removes definition from spec when one version gets changed to not be served."""
    made = await define(api, definition("foos", SCHEMA, versions=("v5", "v6alpha1")))
    path = f"{CRDS}/{made['metadata']['name']}"
    await api.patch(path, [{"op": "replace", "path": "/spec/versions/1/served", "value": False}], "json")

    async def removed() -> bool:
        document = await published(api)
        return names(document, ("group.example.com", "v5", "Foo")) and not names(
            document, ("group.example.com", "v6alpha1", "Foo")
        )

    await api.until(removed, 30)


@alone
async def test_conditions_of_definitions_may_be_anything(api: Api) -> None:
    """Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works:
    upstream's conditions have a message and nothing else."""
    made = await define(api, definition("noxus"))
    status = f"{CRDS}/{made['metadata']['name']}/status"
    blank = {"type": "", "status": "", "lastTransitionTime": None}

    def add(obj: Json) -> None:
        obj["status"]["conditions"].append({**blank, "message": "updated"})

    updated = await api.edit(status, add)
    assert [each.get("message") for each in updated["status"]["conditions"]][-1] == "updated"
    patch = [{"op": "add", "path": "/status/conditions", "value": [{"message": "patched"}]}]
    patched = await api.patch(status, patch, "json")
    assert {key: value for key, value in patched["status"]["conditions"][0].items() if value is not None} == {
        "message": "patched",
        "type": "",
        "status": "",
    }
    assert await api.items(api.root("group.example.com/v1", "noxus")) == []


@alone
async def test_resources_are_there_once_discovery_shows_them(api: Api) -> None:
    """What upstream's fixtures do with every definition before its test begins: discovery, and a first object that
    comes and goes in every version."""
    for scope, ns in (("Cluster", None), ("Namespaced", "default")):
        plural = f"{scope.lower()}s"
        body = definition(plural, scope=scope, versions=("v1beta1", "v1beta2", "v0"))
        body["spec"]["versions"][2]["served"] = False
        await api.post(CRDS, body)
        for version in ("v1beta1", "v1beta2"):

            async def shown(version: str = version, plural: str = plural) -> bool:
                response = await api.send("GET", f"/apis/group.example.com/{version}")
                names = [each["name"] for each in msgspec.json.decode(response.body).get("resources", [])]
                return response.status == 200 and plural in names

            await api.until(shown, 30)
        kind = {"kind": body["spec"]["names"]["kind"], "metadata": {"name": "setup-instance", "namespace": ns or ""}}
        first = {"apiVersion": "group.example.com/v1beta1", **kind, "alpha": "foo_123", "beta": 10, "spec": {}}

        def place(version: str, plural: str = plural, ns: str | None = ns) -> str:
            where = f"group.example.com/{version}"
            return api.at(where, plural, ns=ns) if ns else api.root(where, plural)

        made = await api.post(place("v1beta1"), first)
        await api.delete(f"{place('v1beta1')}/setup-instance")
        for version in ("v1beta1", "v1beta2"):
            since = made["metadata"]["resourceVersion"]
            async with api.watch(f"{place(version)}?resourceVersion={since}") as watching:
                event, obj = await watching.next()
                assert (event, obj["apiVersion"]) == ("DELETED", f"group.example.com/{version}")
