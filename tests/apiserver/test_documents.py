"""Version, token keys, metrics and the list of paths."""

from __future__ import annotations

import msgspec

from tests.apiserver.conftest import Caller


async def test_version(call: Caller) -> None:
    _, version = await call("GET", "/version")
    assert (version["gitVersion"], version["minor"], version["platform"]) == ("v1.36.2", "36", "linux/amd64")
    code, status = await call("DELETE", "/version")
    assert (code, status["reason"]) == (405, "MethodNotAllowed")


async def test_keys_have_a_media_type_of_their_own(call: Caller) -> None:
    response = await call.send("GET", "/openid/v1/jwks", accept="*/*")
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert msgspec.json.decode(response.body)["keys"]
    code, status = await call("GET", "/openid/v1/jwks", accept="application/json")
    assert code == 406
    assert status["message"].endswith("Available representations: application/jwk-set+json")
    _, found = await call("GET", "/.well-known/openid-configuration")
    assert found["jwks_uri"] == "https://127.0.0.1:6443/openid/v1/jwks"


async def test_metrics_count_requests(call: Caller) -> None:
    await call("GET", "/api/v1/namespaces/default/configmaps")
    await call("GET", "/apis/apps/v1/namespaces/default/deployments/none")
    text = (await call.send("GET", "/metrics")).body.decode()
    listed = 'group="",resource="configmaps",scope="namespace",subresource="",verb="LIST"} 1'
    assert f'apiserver_request_total{{code="200",component="apiserver",{listed}' in text
    assert 'code="404",component="apiserver",group="apps",resource="deployments",scope="resource"' in text
    assert 'apiserver_request_duration_seconds_bucket{component="apiserver",group="apps",le="+Inf"' in text
    assert 'apiserver_current_inflight_requests{request_kind="readOnly"} 1' in text


async def test_open_watches_are_long_running(call: Caller) -> None:
    response = await call.send("GET", "/api/v1/namespaces?watch=true")
    assert 'verb="WATCH"} 1\n' in (await call.send("GET", "/metrics")).body.decode()
    assert response.stream is not None
    await response.stream.aclose()  # type: ignore[attr-defined]
    assert 'verb="WATCH"} 0\n' in (await call.send("GET", "/metrics")).body.decode()


async def test_words_that_clients_make_up_are_no_labels(call: Caller) -> None:
    await call.send("FROB", "/api/v1/namespaces/default/made-up")
    text = (await call.send("GET", "/metrics")).body.decode()
    assert "FROB" not in text
    assert "made-up" not in text


async def test_the_root_lists_the_paths(call: Caller) -> None:
    _, index = await call("GET", "/")
    assert {"/api", "/apis/apps/v1", "/healthz/ping", "/metrics", "/openapi/v2", "/version"} <= set(index["paths"])


async def test_anonymous_callers_may_see_the_version_and_no_more(call: Caller) -> None:
    anonymous = call.as_user("")
    assert (await anonymous("GET", "/version"))[0] == 200
    assert (await anonymous("GET", "/openapi/v2"))[0] == 403
