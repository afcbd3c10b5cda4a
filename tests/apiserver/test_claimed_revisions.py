"""The revision that a client's object says it is made of: numbers, no number, and 0, which is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

MAPS = "/api/v1/namespaces/default/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MEDIA = {"PUT": "application/json", "PATCH": "application/merge-patch+json"}


def named(revision: str | None, **others: Any) -> dict[str, Any]:
    metadata = {"name": "one"} if revision is None else {"name": "one", "resourceVersion": revision}
    return {"metadata": metadata, **others}


@pytest.mark.parametrize(("revision", "code"), [("", 201), ("0", 201), ("00", 201), ("x", 201), ("7", 500)])
async def test_new_objects_claim_no_revision(call: Caller, revision: str, code: int) -> None:
    got, answer = await call("POST", MAPS, named(revision))
    assert got == code
    if code == 201:
        assert int(answer["metadata"]["resourceVersion"]) > 1
    else:
        assert answer["message"] == "resourceVersion should not be set on objects to be created"


@pytest.mark.parametrize("method", MEDIA)
@pytest.mark.parametrize(
    ("revision", "code"), [("", 200), ("0", 200), ("{}", 200), ("00{}", 200), ("1", 409), ("x", 500), ("-1", 500)]
)
async def test_updates_of_what_may_be_overwritten(call: Caller, method: str, revision: str, code: int) -> None:
    _, created = await call("POST", MAPS, named(None))
    wanted = named(revision.format(created["metadata"]["resourceVersion"]), data={"a": "b"})
    got, answer = await call(method, f"{MAPS}/one", wanted, content_type=MEDIA[method])
    assert got == code
    assert code != 200 or answer["data"] == {"a": "b"}


@pytest.mark.parametrize("method", MEDIA)
@pytest.mark.parametrize(("revision", "code"), [("{}", 200), ("0", 422), ("1", 409)])
async def test_updates_of_what_must_not_be_overwritten_unseen(
    call: Caller, method: str, revision: str, code: int
) -> None:
    _, created = await call("POST", LEASES, named(None))
    wanted = named(revision.format(created["metadata"]["resourceVersion"]))
    got, answer = await call(method, f"{LEASES}/one", wanted, content_type=MEDIA[method])
    assert got == code
    if code == 422:
        assert answer["details"]["causes"][0]["message"] == "Invalid value: 0: must be specified for an update"


async def test_a_scale_of_no_revision_overwrites(call: Caller) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await call("POST", DEPLOYMENTS, named(None, spec=spec))
    codes = [
        (await call("PUT", f"{DEPLOYMENTS}/one/scale", named(revision, spec={"replicas": 2})))[0]
        for revision in ("0", "1")
    ]
    assert codes == [200, 409]
