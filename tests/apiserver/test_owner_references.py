"""Owners that an object names more than once."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.types.meta_v1 import ObjectMeta, OwnerReference
from pybernetes.apiserver.owner_references import drop_repeated
from tests.apiserver.conftest import Caller

_MAPS = "/api/v1/namespaces/default/configmaps"


def _owner(uid: str, name: str = "n", *, controller: bool | None = None) -> OwnerReference:
    return OwnerReference(api_version="v1", kind="Pod", name=name, uid=uid, controller=controller)


@pytest.mark.parametrize(
    ("owners", "left", "told"),
    [
        ([_owner("1"), _owner("2"), _owner("1"), _owner("1"), _owner("2")], [0, 1], "1, 1, 2"),
        ([_owner("1", "a"), _owner("1", "b")], [0, 1], None),
        ([_owner("1", controller=False), _owner("1", controller=False)], [0], "1"),
        ([_owner("1", controller=False), _owner("1")], [0, 1], None),
    ],
)
def test_only_what_is_the_same_throughout_is_dropped(
    owners: list[OwnerReference], left: list[int], told: str | None
) -> None:
    metadata, warnings = ObjectMeta(owner_references=list(owners)), list[str]()
    drop_repeated(metadata, warnings.append)
    assert metadata.owner_references == [owners[index] for index in left]
    assert [text.rpartition(": ")[2] for text in warnings] == ([told] if told else [])


async def test_every_write_tells_of_them(call: Caller) -> None:
    twice = [{"apiVersion": "v1", "kind": "Pod", "name": "n", "uid": "1"}] * 2

    async def write(method: str, path: str, body: Any, **headers: str) -> str:
        response = await call.send(method, path, body, **headers)
        assert response.status in (200, 201)
        assert response.body.count(b'"uid":"1"') == 1
        (text,) = response.headers["warning"]
        return text

    body = {"metadata": {"name": "m", "ownerReferences": twice}}
    assert "duplicate entries;" in await write("POST", _MAPS, body)
    assert "duplicate entries;" in await write("PUT", f"{_MAPS}/m", body)
    merge = {"content_type": "application/merge-patch+json"}
    assert "duplicate entries after mutating admission" in await write("PATCH", f"{_MAPS}/m", body, **merge)
