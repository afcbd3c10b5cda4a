"""Custom resource definitions as conformance tests make them."""

from __future__ import annotations

from tests.conformance.driving import Api, Json, condition

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANYTHING: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(
    plural: str,
    schema: Json | None = None,
    *,
    scope: str = "Cluster",
    versions: tuple[str, ...] = ("v1",),
    group: str = "",
) -> Json:
    """A definition whose versions are all served and have one schema; the first is stored."""
    group = group or "group.example.com"
    rows = [
        {
            "name": version,
            "served": True,
            "storage": version == versions[0],
            "schema": {"openAPIV3Schema": schema or ANYTHING},
        }
        for version in versions
    ]
    singular = plural.removesuffix("s")
    names = {
        "plural": plural,
        "singular": singular,
        "kind": singular.capitalize(),
        "listKind": f"{singular.capitalize()}List",
    }
    spec = {"group": group, "scope": scope, "names": names, "versions": rows}
    return {"metadata": {"name": f"{plural}.{group}"}, "spec": spec}


async def define(api: Api, body: Json) -> Json:
    """Creates a definition and waits until its resources are served."""
    path = f"{CRDS}/{body['metadata']['name']}"
    await api.post(CRDS, body)

    async def established() -> Json | None:
        obj = await api.get(path)
        return obj if condition(obj, "Established") == "True" else None

    made: Json = await api.until(established, 30)
    return made
