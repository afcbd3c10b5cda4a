"""What was looked at changes only with what could be seen there."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from pybernetes.api.types.core_v1 import Namespace, Node, ServiceAccount
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.collection import Part
from pybernetes.apiserver.witness import LookedAt, Witness
from tests.apiserver.conftest import Caller


def is_as_before(looked_at: LookedAt) -> bool:
    return all(seen.generation == generation for seen, generation in looked_at.items())


@pytest.mark.parametrize(
    ("path", "name", "changes"),
    [
        ("/api/v1/namespaces/kube-system/serviceaccounts", "default", False),
        ("/api/v1/namespaces", "other", False),
        ("/api/v1/namespaces/default/serviceaccounts", "another", True),
        ("/api/v1/nodes", "any", True),
    ],
)
async def test_what_is_elsewhere_may_change(api: ApiServer, path: str, name: str, changes: bool) -> None:
    witness = Witness(api.registry)
    with witness.attention() as looked_at:
        assert witness.get(Namespace, "default") is not None
        assert witness.get(ServiceAccount, "nosuch", "default") is None
        assert list(witness.list(Node)) == []
    status, _ = await Caller(api)("POST", path, {"metadata": {"name": name}})
    assert status == 201
    assert is_as_before(looked_at) is not changes


async def test_what_is_looked_at_by_name_changes_with_its_status(api: ApiServer) -> None:
    witness, call = Witness(api.registry), Caller(api)
    await call("POST", "/api/v1/namespaces", {"metadata": {"name": "going"}})
    with witness.attention() as looked_at:
        witness.get(Namespace, "going")
    await call("DELETE", "/api/v1/namespaces/going")
    assert not is_as_before(looked_at)


async def test_what_nobody_looks_at_any_more_is_forgotten(api: ApiServer) -> None:
    witness = Witness(api.registry)
    with witness.attention() as looked_at:
        for number in range(100):
            witness.get(Namespace, f"nosuch-{number}")
    parts = [ref(part) for part in looked_at if isinstance(part, Part)]
    assert len(parts) == 100
    looked_at.clear()
    gc.collect()
    assert all(part() is None for part in parts)
