"""Health as probes and people ask for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.diagnostics.health import Check, Health, StoreCheck
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore


def failing(reason: str) -> Check:
    async def check() -> str | None:
        return reason

    return check


async def ask(health: Health, path: str, **query: str) -> Response:
    response = await health.answer(Request("GET", path, tuple(query.items())))
    assert response is not None
    return response


async def test_well() -> None:
    health = Health()
    for path in ("/healthz", "/livez", "/readyz", "/livez/ping", "/healthz/poststarthook/rbac/bootstrap-roles"):
        response = await ask(health, path)
        assert (response.status, response.body) == (200, b"ok")
    shown = (await ask(health, "/readyz", verbose="")).body.decode()
    assert shown.startswith("[+]ping ok\n")
    assert shown.endswith("[+]shutdown ok\nreadyz check passed\n")


async def test_a_failure_is_shown_without_its_reason_unless_asked_for() -> None:
    health = Health(store=failing("disk full: /secret/place"))
    response = await ask(health, "/livez")
    assert response.status == 500
    assert b"[-]etcd failed: reason withheld\n" in response.body
    assert response.body.endswith(b"livez check failed\n")
    assert b"secret" not in response.body
    assert (await ask(health, "/livez", exclude="etcd")).status == 200
    assert b"[+]etcd excluded: ok" in (await ask(health, "/livez", exclude="etcd", verbose="")).body
    assert (await ask(health, "/readyz")).status == 200
    alone = await ask(health, "/livez/etcd")
    assert (alone.status, alone.body) == (500, b"internal server error: disk full: /secret/place\n")


async def test_what_cannot_be_excluded_is_said() -> None:
    query = (("verbose", ""), ("exclude", "nosuch"), ("exclude", "another"))
    response = await Health().answer(Request("GET", "/readyz", query))
    assert response is not None
    assert b'warn: some health checks cannot be excluded: no matches for "another","nosuch"\n' in response.body


async def test_unknown_checks_have_no_answer() -> None:
    assert await Health().answer(Request("GET", "/livez/nosuch")) is None
    assert await Health().answer(Request("GET", "/other")) is None


async def test_a_server_that_is_closing_is_alive_and_not_ready() -> None:
    health = Health(shutdown=failing("process is shutting down"))
    assert (await ask(health, "/livez")).status == 200
    assert (await ask(health, "/readyz")).status == 500


async def test_what_is_found_is_told() -> None:
    found: list[tuple[str, str, bool]] = []
    health = Health(store=failing("no"), observe=lambda *one: found.append(one))
    await ask(health, "/livez", exclude="log")
    assert found[:3] == [
        ("ping", "livez", True),
        ("loopback-serving-certificate", "livez", True),
        ("etcd", "livez", False),
    ]


class Stalling(EmbeddedStore):
    """Answers when it is let."""

    def stall(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def reach(self) -> None:
        self.asked += 1
        await self.may_answer.wait()
        await super().reach()


async def test_those_who_ask_again_and_again_do_not_disturb_each_other(tmp_path: Path) -> None:
    store = await EmbeddedStore.open(tmp_path / "store.db", SystemClock())
    check = StoreCheck(store)

    async def ask_often() -> list[str | None]:
        return [await check() for _ in range(50)]

    found = await asyncio.gather(*(ask_often() for _ in range(8)))
    assert {reason for reasons in found for reason in reasons} == {None}
    await store.close()


async def test_a_store_that_stalls_fails_until_it_answers(tmp_path: Path) -> None:
    opened = await Stalling.open(tmp_path / "store.db", SystemClock())
    assert isinstance(opened, Stalling)
    opened.stall()
    check = StoreCheck(opened, seconds=0.01)
    assert await check() == "error getting data from etcd: context deadline exceeded"
    assert await check() is not None
    assert opened.asked == 1
    opened.may_answer.set()
    assert await StoreCheck(opened, seconds=10)() is None
    await opened.close()
    assert await StoreCheck(opened, seconds=10)() == "error getting data from etcd: the store is closed"
