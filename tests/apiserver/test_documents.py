"""Version, token keys, metrics and the list of paths."""

from __future__ import annotations

import gzip
import logging

import msgspec

from tests.apiserver.conftest import Caller


async def metrics(call: Caller) -> str:
    return (await call.send("GET", "/metrics")).body.decode()


async def test_version(call: Caller) -> None:
    _, version = await call("GET", "/version")
    assert (version["gitVersion"], version["minor"], version["gitCommit"]) == ("v1.36.2", "36", "")
    assert version["platform"].startswith("linux/")
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
    text = await metrics(call)
    maps = 'group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1"}'
    assert f'apiserver_request_total{{code="200",component="apiserver",dry_run="",{maps} 1\n' in text
    assert f'apiserver_response_sizes_count{{component="apiserver",{maps} 1\n' in text
    none = 'group="apps",resource="deployments",scope="resource",subresource="",verb="GET",version="v1"'
    assert f'apiserver_request_total{{code="404",component="apiserver",dry_run="",{none}}} 1\n' in text
    assert f'apiserver_request_duration_seconds_bucket{{component="apiserver",dry_run="",{none},le="+Inf"}} 1\n' in text
    assert f'apiserver_request_sli_duration_seconds_bucket{{component="apiserver",{none},le="0.05"}} 1\n' in text


async def test_metrics_tell_dry_runs_and_applies_apart(call: Caller) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    await call("POST", f"{path}?dryRun=All", {"metadata": {"name": "m"}})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
    await call("PATCH", f"{path}/m?fieldManager=me", body, content_type="application/apply-patch+yaml")
    text = await metrics(call)
    maps = 'group="",resource="configmaps",scope="resource",subresource=""'
    assert f'{{code="201",component="apiserver",dry_run="All",{maps},verb="POST",version="v1"}} 1\n' in text
    assert f'{{code="201",component="apiserver",dry_run="",{maps},verb="APPLY",version="v1"}} 1\n' in text


async def test_metrics_tell_what_is_stored_and_who_serves(call: Caller) -> None:
    await call("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "m"}})
    text = await metrics(call)
    assert "# TYPE apiserver_storage_objects gauge\n" in text
    assert 'apiserver_resource_objects{group="",resource="configmaps"} 1\n' in text
    assert 'apiserver_storage_objects{resource="deployments.apps"} 0\n' in text
    assert 'git_version="v1.36.2"' in text
    assert "\nprocess_open_fds " in text
    zipped = await call.send("GET", "/metrics", accept_encoding="gzip")
    assert gzip.decompress(zipped.body).startswith(b"# HELP ")


async def test_every_family_stands_once_and_in_order(call: Caller) -> None:
    await call("GET", "/api/v1/namespaces/default/configmaps")
    lines = (await metrics(call)).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert names == sorted(set(names))
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(samples) == len(set(samples))


async def test_open_watches_are_long_running(call: Caller) -> None:
    response = await call.send("GET", "/api/v1/namespaces?watch=true")
    watches = 'resource="namespaces",scope="cluster",subresource="",verb="WATCH",version="v1"}'
    open_now = f'apiserver_longrunning_requests{{component="apiserver",group="",{watches}'
    assert f"{open_now} 1\n" in await metrics(call)
    assert response.stream is not None
    await response.stream.aclose()  # type: ignore[attr-defined]
    text = await metrics(call)
    assert f"{open_now} 0\n" in text
    assert f'apiserver_request_total{{code="200",component="apiserver",dry_run="",group="",{watches} 1\n' in text


async def test_events_are_counted_for_each_watch(call: Caller) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    watches = [await call.send("GET", f"{path}?watch=true") for _ in range(2)]
    await call("POST", path, {"metadata": {"name": "m"}})
    assert 'apiserver_watch_events_total{group="",resource="configmaps",version="v1"} 2\n' in await metrics(call)
    for watch in watches:
        assert watch.stream is not None
        await watch.stream.aclose()  # type: ignore[attr-defined]


async def test_health_checks_have_metrics_of_their_own(call: Caller) -> None:
    await call.send("GET", "/livez")
    text = (await call.send("GET", "/metrics/slis")).body.decode()
    assert 'kubernetes_healthcheck{name="etcd",type="livez"} 1\n' in text
    assert 'kubernetes_healthchecks_total{name="etcd",status="success",type="livez"} 1\n' in text


async def test_old_apis_that_were_asked_for_are_told(call: Caller) -> None:
    assert "apiserver_requested_deprecated_apis" not in await metrics(call)
    await call("GET", "/api/v1/namespaces/default/endpoints")
    old = 'group="",removed_release="",resource="endpoints",subresource="",version="v1"'
    assert f"apiserver_requested_deprecated_apis{{{old}}} 1\n" in await metrics(call)


async def test_diagnostics_for_people_and_for_programs(call: Caller) -> None:
    shown = (await call.send("GET", "/statusz")).body.decode()
    assert "kube-apiserver statusz\n" in shown
    assert "Binary version: 1.36.2\n" in shown
    media = "application/json;v=v1beta1;g=config.k8s.io;as=Flagz"
    _, flags = await call("GET", "/flagz", accept=media)
    assert (flags["kind"], flags["apiVersion"]) == ("Flagz", "config.k8s.io/v1beta1")
    assert (await call("GET", "/flagz", accept="application/json"))[0] == 406


async def test_how_much_is_logged_can_be_set(call: Caller) -> None:
    logger = logging.getLogger("pybernetes")
    before = logger.level
    try:
        told = await call.send("PUT", "/debug/flags/v", b"6")
        assert (told.status, told.body) == (200, b"successfully set klog.logging.verbosity to 6\n")
        assert logger.level == logging.DEBUG
        told = await call.send("PUT", "/debug/flags/v", b"much")
        assert (told.status, told.body.startswith(b"failed set klog.logging.verbosity much: ")) == (400, True)
    finally:
        logger.setLevel(before)
    assert (await call.send("GET", "/debug/flags/v")).status == 406
    assert b"tasks and threads" in (await call.send("GET", "/debug/pprof/")).body
    assert b"test_how_much_is_logged" in (await call.send("GET", "/debug/pprof/goroutine")).body
    assert (await call.send("GET", "/debug/pprof/nosuch")).status == 404


async def test_words_that_clients_make_up_are_no_labels(call: Caller) -> None:
    await call.send("FROB", "/api/v1/namespaces/default/made-up")
    await call.send("FROB", "/api/v1/namespaces/default/configmaps")
    text = await metrics(call)
    assert "FROB" not in text.upper()
    assert "made-up" not in text


async def test_the_root_lists_the_paths(call: Caller) -> None:
    _, index = await call("GET", "/")
    assert {"/api", "/apis/apps/v1", "/healthz/ping", "/metrics", "/openapi/v2", "/version"} <= set(index["paths"])


async def test_anonymous_callers_may_see_the_version_and_no_more(call: Caller) -> None:
    anonymous = call.as_user("")
    assert (await anonymous("GET", "/version"))[0] == 200
    assert (await anonymous("GET", "/openapi/v2"))[0] == 403


async def test_who_asked_and_who_may_is_counted(call: Caller) -> None:
    await call("GET", "/api/v1/namespaces/default/configmaps")
    assert (await call.as_user("alice-token")("GET", "/api/v1/nodes"))[0] == 403
    assert (await call.as_user("nobody's")("GET", "/api/v1/nodes"))[0] == 401
    text = await metrics(call)
    assert 'authentication_attempts{result="error"} 1\n' in text
    assert 'authorization_attempts_total{result="no-opinion"} 1\n' in text
    assert 'authenticated_user_requests{username="other"} 1\n' in text
    assert "alice" not in text


async def test_admission_and_the_store_are_timed(call: Caller) -> None:
    await call("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "m"}})
    await call("POST", "/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "m"}})
    text = await metrics(call)
    name = "apiserver_admission_controller_admission_duration_seconds_count"
    lifecycle = 'name="NamespaceLifecycle",operation="CREATE"'
    assert f'{name}{{{lifecycle},rejected="false",type="admit"}} ' in text
    assert f'{name}{{{lifecycle},rejected="true",type="admit"}} 1\n' in text
    step = 'apiserver_admission_step_admission_duration_seconds_count{operation="CREATE"'
    assert f'{step},rejected="true",type="admit"}} 1\n' in text
    assert 'etcd_requests_total{group="",operation="create",resource="configmaps"} 1\n' in text
