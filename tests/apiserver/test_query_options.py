"""How the values of a query are read: truth values, numbers, and the options of deletions."""

from __future__ import annotations

import pytest

from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.api.wire import Request
from pybernetes.apiserver.query_options import check_delete_options, flag, number, queried_delete_options
from tests.apiserver.conftest import Caller

_MAPS = "/api/v1/namespaces/default/configmaps"


def _asking(**query: str) -> Request:
    return Request("GET", "/", tuple(query.items()))


@pytest.mark.parametrize(
    ("value", "means"),
    [("true", True), ("1", True), ("", True), ("yes", True), ("false", False), ("False", False), ("0", False)],
)
def test_truth_values(value: str, means: bool) -> None:
    assert flag(_asking(x=value), "x") is means
    assert flag(_asking(y=value), "x") is None


def test_numbers() -> None:
    assert number(_asking(limit="-3"), "limit") == -3
    assert number(_asking(), "limit") is None
    with pytest.raises(StatusError, match='parsing "": invalid syntax'):
        number(_asking(limit=""), "limit")


def test_options_of_a_deletion_without_a_body() -> None:
    query = {"gracePeriodSeconds": "0", "orphanDependents": "no", "uid": "u", "resourceVersion": "5"}
    assert queried_delete_options(_asking(**query)) == DeleteOptions(
        grace_period_seconds=0, orphan_dependents=True, preconditions=Preconditions(uid="u", resource_version="5")
    )
    assert queried_delete_options(_asking()) == DeleteOptions()


def test_what_may_not_be_said_of_what_cannot_be_read() -> None:
    options = DeleteOptions(
        ignore_store_read_error_with_cluster_breaking_potential=True, dry_run=["All"], grace_period_seconds=0
    )
    with pytest.raises(StatusError) as refusal:
        check_delete_options(options)
    causes = refusal.value.status.details.causes if refusal.value.status.details else []
    assert [cause.message for cause in causes] == [
        "Invalid value: true: cannot be set together with .dryRun",
        "Invalid value: true: cannot be set together with .gracePeriodSeconds",
    ]
    options.ignore_store_read_error_with_cluster_breaking_potential = False
    check_delete_options(options)


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("GET", "limit=", 400),
        ("GET", "sendInitialEvents=", 422),
        ("DELETE", "propagationPolicy=", 422),
        ("DELETE", "uid=other", 409),
        ("DELETE", "uid=&gracePeriodSeconds=5", 200),
    ],
)
async def test_empty_values_are_values(call: Caller, method: str, query: str, code: int) -> None:
    assert (await call("POST", _MAPS, {"metadata": {"name": "m"}}))[0] == 201
    path = f"{_MAPS}/m" if method == "DELETE" else _MAPS
    assert (await call(method, f"{path}?{query}"))[0] == code


async def test_force_is_for_applying_alone(call: Caller) -> None:
    assert (await call("POST", _MAPS, {"metadata": {"name": "m"}}))[0] == 201
    merge = {"content_type": "application/merge-patch+json"}
    for value in ("", "false", "true"):
        code, refusal = await call("PATCH", f"{_MAPS}/m?force={value}", {}, **merge)
        assert (code, "may not be specified" in refusal["message"]) == (422, True)


async def test_a_state_of_the_future_cannot_be_streamed(call: Caller) -> None:
    query = "watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=yes"
    response = await call.send("GET", f"{_MAPS}?{query}&resourceVersion=999999")
    assert response.status == 200
    assert response.stream is not None
    told = b"".join([chunk async for chunk in response.stream])
    assert b'"type":"ERROR"' in told
    assert b"ResourceVersionTooLarge" in told
