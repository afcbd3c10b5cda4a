"""Managers: who owns what after updates, in which order, and how many there are."""

from __future__ import annotations

import pytest

from pybernetes.api.types.meta_v1 import ManagedFieldsEntry
from pybernetes.apiserver.field_management.comparison import Comparison
from pybernetes.apiserver.field_management.managers import (
    APPLY,
    UPDATE,
    InvalidManagers,
    Managers,
    Owned,
    decoded,
    encoded,
    identity,
    updated,
)
from pybernetes.apiserver.field_management.scale import IN_SPEC, to_object, to_scale

ALICE, BOB = identity("alice", UPDATE, "v1", ""), identity("bob", UPDATE, "v1", "")


def _update(managers: Managers, comparison: Comparison, time: str = "t2") -> Managers:
    return updated(managers, lambda _version: comparison, BOB, "v1", time)


def test_a_changed_field_moves_to_the_writer() -> None:
    before = {ALICE: Owned({"f:data": {"f:x": {}, "f:y": {}}}, "v1", "t1")}
    after = _update(before, Comparison(changed={"f:data": {"f:x": {}}}))
    assert after == {
        ALICE: Owned({"f:data": {"f:y": {}}}, "v1", "t1"),
        BOB: Owned({"f:data": {"f:x": {}}}, "v1", "t2"),
    }


def test_who_owns_nothing_any_more_is_gone() -> None:
    before = {ALICE: Owned({"f:data": {"f:x": {}}}, "v1", "t1")}
    assert _update(before, Comparison(removed={"f:data": {"f:x": {}}})) == {}


def test_the_name_is_owned_by_no_one() -> None:
    found = _update({}, Comparison(changed={"f:metadata": {"f:name": {}, "f:uid": {}}, "f:kind": {}}))
    assert found == {}


def test_versions_that_are_served_no_more_are_forgotten() -> None:
    before = {ALICE: Owned({"f:data": {"f:x": {}}}, "v1beta1", "t1")}
    known = Comparison(changed={"f:data": {"f:y": {}}})
    after = updated(before, lambda version: known if version == "v1" else None, BOB, "v1", "t2")
    assert list(after) == [BOB]


def test_more_than_ten_updaters_are_folded() -> None:
    managers: Managers = {
        identity(f"m{n:02}", UPDATE, "v1", ""): Owned({"f:data": {f"f:k{n:02}": {}}}, "v1", f"t{n:02}")
        for n in range(10)
    }
    managers[identity("m99", APPLY, "v1", "")] = Owned({"f:data": {"f:a": {}}}, "v1", "t00")
    after = _update(managers, Comparison(changed={"f:data": {"f:z": {}}}), "t99")
    names = [entry.manager for entry in encoded(after)]
    assert names == ["m99", "ancient-changes", *(f"m{n:02}" for n in range(2, 10)), "bob"]
    assert after[identity("ancient-changes", UPDATE, "v1", "")].fields == {"f:data": {"f:k00": {}, "f:k01": {}}}


def test_entries_come_appliers_first_then_by_time() -> None:
    managers = {
        ALICE: Owned({"f:a": {}}, "v1", "t2"),
        BOB: Owned({"f:b": {}}, "v1", "t1"),
        identity("carol", APPLY, "v1", "status"): Owned({"f:c": {}}, "v1"),
    }
    assert [entry.manager for entry in encoded(managers)] == ["carol", "bob", "alice"]
    assert decoded(encoded(managers)) == managers


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (ManagedFieldsEntry(operation="X"), "operation must be `Apply` or `Update`"),
        (ManagedFieldsEntry(operation="Apply"), "apiVersion must not be empty"),
        (ManagedFieldsEntry(operation="Apply", api_version="v1"), "missing fieldsType in managed fields entry 0"),
        (
            ManagedFieldsEntry(operation="Apply", api_version="v1", fields_type="V9"),
            'invalid fieldsType "V9" in managed fields entry 0',
        ),
    ],
)
def test_clients_cannot_make_up_nonsense(entry: ManagedFieldsEntry, why: str) -> None:
    with pytest.raises(InvalidManagers, match=why):
        decoded([entry], trusted=False)


def test_scale_sees_and_moves_the_owners_of_replicas() -> None:
    applier = identity("a", APPLY, "apps/v1", "")
    before = {
        applier: Owned({"f:spec": {"f:replicas": {}, "f:paused": {}}}, "apps/v1", "t1"),
        ALICE: Owned({"f:metadata": {"f:labels": {}}}, "apps/v1", "t1"),
    }
    paths = {"apps/v1": IN_SPEC}
    seen = to_scale(before, paths)
    assert list(seen) == [applier]
    assert to_object(before, seen, paths, "apps/v1") == before
    scaler = identity("s", UPDATE, "autoscaling/v1", "scale")
    after = to_object(before, {scaler: Owned({"f:spec": {"f:replicas": {}}}, "autoscaling/v1", "t2")}, paths, "apps/v1")
    assert after[applier].fields == {"f:spec": {"f:paused": {}}}
    assert after[scaler] == Owned({"f:spec": {"f:replicas": {}}}, "apps/v1")
