"""Health as probes and people ask for it."""

from __future__ import annotations

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.health import Health


def ask(health: Health, path: str, **query: str) -> Response:
    response = health.answer(Request("GET", path, tuple(query.items())))
    assert response is not None
    return response


def test_well() -> None:
    health = Health()
    for path in ("/healthz", "/livez", "/readyz", "/livez/ping", "/healthz/poststarthook/rbac/bootstrap-roles"):
        assert (ask(health, path).status, ask(health, path).body) == (200, b"ok")
    shown = ask(health, "/readyz", verbose="").body.decode()
    assert shown.startswith("[+]ping ok\n")
    assert shown.endswith("[+]shutdown ok\nreadyz check passed\n")


def test_a_failure_is_shown_without_its_reason() -> None:
    health = Health({"etcd": lambda: "disk full: /secret/place"})
    response = ask(health, "/livez")
    assert response.status == 500
    assert b"[-]etcd failed: reason withheld\n" in response.body
    assert response.body.endswith(b"livez check failed\n")
    assert b"secret" not in response.body
    assert ask(health, "/livez", exclude="etcd").status == 200
    assert b"[+]etcd excluded: ok" in ask(health, "/livez", exclude="etcd", verbose="").body
    assert ask(health, "/readyz").status == 200


def test_what_cannot_be_excluded_is_said() -> None:
    shown = ask(Health(), "/readyz", verbose="", exclude="nosuch").body.decode()
    assert 'warn: some health checks cannot be excluded: no matches for "nosuch"\n' in shown


def test_unknown_checks_have_no_answer() -> None:
    assert Health().answer(Request("GET", "/livez/nosuch")) is None
    assert Health().answer(Request("GET", "/other")) is None


def test_a_server_that_is_closing_is_alive_and_not_ready() -> None:
    health = Health(shutdown=lambda: "closing")
    assert ask(health, "/livez").status == 200
    assert ask(health, "/readyz").status == 500
