"""Objects whose name is taken, though the server could have made another one up."""

from __future__ import annotations

import pytest

from pybernetes.environment.chance import Chance
from tests.apiserver.conftest import Caller

MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"


async def test_whoever_names_both_hears_of_both(call: Caller) -> None:
    both = {"metadata": {"name": "m", "generateName": "m-"}}
    assert (await call("POST", MAPS, both))[0] == 201
    response = await call.send("POST", MAPS, both)
    assert (response.status, response.headers["retry-after"]) == (409, "1")
    assert b"not able to generate a unique name" in response.body
    code, refusal = await call("POST", MAPS, {"metadata": {"name": "m"}})
    assert (code, refusal["message"]) == (409, 'configmaps "m" already exists')


async def test_another_name_is_tried_for_a_while(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["aaaaa", "aaaaa", "bbbbb", *["aaaaa"] * 8])
    monkeypatch.setattr(Chance, "suffix", lambda _self: next(drawn))
    generated = {"metadata": {"generateName": "s-"}}
    assert (await call("POST", SECRETS, generated))[1]["metadata"]["name"] == "s-aaaaa"
    assert (await call("POST", SECRETS, generated))[1]["metadata"]["name"] == "s-bbbbb"
    code, refusal = await call("POST", SECRETS, generated)
    assert (code, refusal["details"]["retryAfterSeconds"]) == (409, 1)
    assert next(drawn, None) is None
