"""Tokens of service accounts: what a TokenRequest is answered with."""

from __future__ import annotations

from tests.apiserver.conftest import Caller


async def test_a_request_is_answered_with_a_token_and_its_owner(call: Caller) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts/default/token?fieldManager=tests"
    code, answer = await call("POST", path, {"spec": {"expirationSeconds": 600}})
    assert (code, answer["kind"]) == (201, "TokenRequest")
    assert answer["status"]["token"].count(".") == 2
    (owner,) = answer["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"], owner["subresource"]) == ("tests", "Update", "token")
    assert owner["fieldsV1"] == {"f:spec": {"f:expirationSeconds": {}}}


async def test_an_account_that_is_not_there_gets_none(call: Caller) -> None:
    code, answer = await call("POST", "/api/v1/namespaces/default/serviceaccounts/none/token", {"spec": {}})
    assert (code, answer["message"]) == (404, 'serviceaccounts "none" not found')
