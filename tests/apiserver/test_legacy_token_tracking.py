"""What the API server writes down about lasting tokens: when each was last used, and since when it looks."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from pybernetes.api.legacy_tokens import INVALID_SINCE, LAST_USED, TRACKING, date_of
from pybernetes.api.types.core_v1 import Secret, ServiceAccount
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.legacy_token_tracking import is_news
from pybernetes.controllers.legacy_token import legacy_token
from tests.apiserver.conftest import Caller

_SECRET = "/api/v1/namespaces/default/secrets/t"
_CONFIG_MAP = f"/api/v1/namespaces/kube-system/configmaps/{TRACKING}"


@pytest.mark.parametrize(
    ("label", "news"),
    [(None, True), ("2026-01-30", True), ("2026-01-31", False), ("2026-02-01", False), ("2026-02-02", True)],
)
def test_one_note_a_day_is_enough(label: str | None, news: bool) -> None:
    assert is_news(label, datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) is news


@asynccontextmanager
async def _running(api: ApiServer) -> AsyncIterator[None]:
    task = asyncio.create_task(api.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _once(call: Caller, path: str, holds: Callable[[Any], bool]) -> Any:
    """What a GET answers when it is as it should be."""
    async with asyncio.timeout(10):
        while True:
            _code, answer = await call("GET", path)
            if holds(answer):
                return answer
            await asyncio.sleep(0)


def _is_noted(secret: Any) -> bool:
    return date_of(secret["metadata"].get("labels", {}).get(LAST_USED, "")) is not None


async def _token(api: ApiServer, call: Caller, **metadata: Any) -> Caller:
    """Who comes with the token of a Secret of the account `default`."""
    account = api.registry.get(ServiceAccount, "default", "default")
    assert account is not None
    token = legacy_token(api.issuer.private_key.decode(), account, Secret(metadata=ObjectMeta(name="t")))
    metadata = {"name": "t", "annotations": {"kubernetes.io/service-account.name": "default"}, **metadata}
    secret = {
        "metadata": metadata,
        "type": "kubernetes.io/service-account-token",
        "data": {"token": base64.b64encode(token.encode()).decode()},
    }
    code, created = await call("POST", "/api/v1/namespaces/default/secrets", secret)
    assert code == 201, created
    return call.as_user(token)


async def test_the_use_of_a_lasting_token_is_noted(api: ApiServer, call: Caller) -> None:
    bearer = await _token(api, call)
    async with _running(api):
        review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
        code, answer = await bearer("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        assert (code, answer["status"]["userInfo"]["username"]) == (201, "system:serviceaccount:default:default")
        await _once(call, _SECRET, _is_noted)


async def test_also_that_of_a_token_which_holds_no_more(api: ApiServer, call: Caller) -> None:
    bearer = await _token(api, call, labels={INVALID_SINCE: "2026-01-01"})
    async with _running(api):
        assert (await bearer("GET", "/api"))[0] == 401
        await _once(call, _SECRET, _is_noted)


async def test_since_when_is_said_in_a_config_map(api: ApiServer, call: Caller) -> None:
    async with _running(api):
        found = await _once(call, _CONFIG_MAP, lambda answer: "data" in answer)
    assert date_of(found["data"]["since"]) is not None
    await call("PUT", _CONFIG_MAP, {**found, "data": {"since": "ever", "more": "stays"}})
    async with _running(api):
        await _once(call, _CONFIG_MAP, lambda answer: answer["data"] == {**found["data"], "more": "stays"})
