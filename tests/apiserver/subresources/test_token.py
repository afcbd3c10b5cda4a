"""Tokens of service accounts: what a TokenRequest is answered with."""

from __future__ import annotations

import pytest

from tests.apiserver.conftest import Caller


async def test_a_request_is_answered_with_a_token_and_its_owner(call: Caller) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts/default/token?fieldManager=tests"
    code, answer = await call("POST", path, {"spec": {"expirationSeconds": 600}})
    assert (code, answer["kind"]) == (201, "TokenRequest")
    assert answer["status"]["token"].count(".") == 2
    (owner,) = answer["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"], owner["subresource"]) == ("tests", "Update", "token")
    assert owner["fieldsV1"] == {"f:spec": {"f:expirationSeconds": {}}}


@pytest.mark.parametrize(
    ("metadata", "code", "why"),
    [
        ({"name": "x"}, 422, 'metadata.name: Invalid value: "x": must match the service account name if specified'),
        ({"namespace": "x"}, 400, "does not match the namespace sent on the request"),
        ({"uid": "x"}, 409, "the UID in the token request (x) does not match the UID of the service account"),
        ({"name": "default", "namespace": "default"}, 201, ""),
    ],
)
async def test_a_request_may_say_which_account_it_means(
    call: Caller, metadata: dict[str, str], code: int, why: str
) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    given, answer = await call("POST", path, {"metadata": metadata, "spec": {}})
    assert given == code
    assert why in answer.get("message", "")


async def test_an_account_that_is_not_there_gets_none(call: Caller) -> None:
    code, answer = await call("POST", "/api/v1/namespaces/default/serviceaccounts/none/token", {"spec": {}})
    assert (code, answer["message"]) == (404, 'serviceaccounts "none" not found')
