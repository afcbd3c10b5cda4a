"""What only a file can show: restarts, the lock, strangers' files, a full disk; and, without one, determinism."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pybernetes.environment.clock import LoopClock, SystemClock
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.store.contract import Event
from pybernetes.store.embedded import EmbeddedStore
from pybernetes.store.errors import Compacted, Conflict, StoreFailed, StoreFull, StoreLocked


class LaterClock(SystemClock):
    """The machine's clock some time later."""

    def __init__(self, later: timedelta) -> None:
        self._later = later

    def now(self) -> datetime:
        return super().now() + self._later


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


async def reopened(store: EmbeddedStore, path: Path, later: timedelta = timedelta(0)) -> EmbeddedStore:
    await store.close()
    return await EmbeddedStore.open(path, LaterClock(later))


def history(store: EmbeddedStore, since: int) -> list[Event]:
    events: list[Event] = []
    store.watch("", since, events.extend).close()
    return events


async def test_a_restart_changes_nothing(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    for i in range(40):
        await asyncio.gather(*(store.put(f"/r/{n}/x", b"%d" % i) for n in range(5)))
        await store.delete(f"/r/{i % 5}/x")
    await store.compact(100)
    before = (store.revision, store.compacted, store.range(""), store.range("", revision=150), history(store, 100))
    store = await reopened(store, path)
    after = (store.revision, store.compacted, store.range(""), store.range("", revision=150), history(store, 100))
    assert after == before
    with pytest.raises(Compacted):
        store.watch("", 99, print)
    assert (await store.put("/new", b"")).revision == before[0] + 1
    await store.close()


async def test_the_newest_revision_survives_its_own_compaction(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    await store.put("/a", b"")
    await store.delete("/a")
    await store.compact(3)
    assert (await store.put("/a", b"")).revision == 4
    await store.delete("/a")
    await store.compact(5)
    store = await reopened(store, path)
    assert (store.revision, store.compacted) == (5, 5)
    assert (await store.put("/b", b"")).revision == 6
    await store.close()


async def test_compaction_makes_the_file_reusable(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    for _ in range(30):
        for _ in range(30):
            await store.put("/a", b"x" * 3000)
        await store.compact(store.revision)
    await store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM changes").fetchone() == (1,)
    connection.close()
    assert path.stat().st_size < 400_000  # noqa: ASYNC240


async def test_a_compaction_that_was_cut_short_is_finished_at_the_next_start(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    await store.put("/a", b"1")
    await store.put("/a", b"2")
    await store.put("/b", b"1")
    await store.delete("/b")
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE state SET compacted = 5")
    connection.commit()
    connection.close()
    store = await EmbeddedStore.open(path, SystemClock())
    assert [(item.key, item.value) for item in store.range("").items] == [("/a", b"2")]
    assert (store.revision, store.compacted) == (5, 5)
    store = await reopened(store, path)
    assert (await store.put("/b", b"")).revision == 6
    await store.close()


async def test_a_lease_runs_on_while_there_is_no_process(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    await store.put("/short", b"1", lease_seconds=100)
    await store.put("/long", b"1", lease_seconds=100_000)
    store = await reopened(store, path)
    assert len(store.range("").items) == 2
    store = await reopened(store, path, later=timedelta(seconds=200))
    gone: asyncio.Future[Sequence[Event]] = asyncio.get_running_loop().create_future()
    store.watch("", 3, gone.set_result)
    [event] = await gone
    assert (event.type, event.item.key, event.item.revision) == ("DELETE", "/short", 4)
    assert [item.key for item in store.range("").items] == ["/long"]
    await store.close()


async def test_a_second_one_is_told_that_the_file_is_in_use(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    with pytest.raises(StoreLocked, match=r"store\.db is in use by another process"):
        await EmbeddedStore.open(path, SystemClock())
    await store.put("/a", b"")
    store = await reopened(store, path)
    assert store.get("/a") is not None
    await store.close()


async def test_only_the_owner_may_read_the_file(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock())
    await store.put("/secret", b"")
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    await store.close()


async def test_a_file_of_another_kind_is_left_alone(path: Path) -> None:
    path.parent.mkdir()  # noqa: ASYNC240
    path.write_bytes(b"this is no database\n" * 100)  # noqa: ASYNC240
    with pytest.raises(StoreFailed, match=r"store\.db"):
        await EmbeddedStore.open(path, SystemClock())
    path.unlink()  # noqa: ASYNC240
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE changes (mine)")
    connection.close()
    with pytest.raises(StoreFailed, match="no store that this version can read"):
        await EmbeddedStore.open(path, SystemClock())
    with pytest.raises(StoreFailed, match="cannot open the store"):
        await EmbeddedStore.open(path.parent, SystemClock())


async def test_a_full_store_refuses_writes_keeps_what_it_has_and_recovers(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock(), quota_bytes=400_000)
    events: list[Event] = []
    store.watch("/a", 0, events.extend)
    with pytest.raises(StoreFull):
        for i in range(1000):
            await store.put(f"/a/{i % 20}", b"x" * 10_000)
    newest = events[-1].item
    assert store.revision == newest.revision
    assert store.get(newest.key) == newest
    results = await asyncio.gather(*(store.put(f"/b/{i}", b"x" * 50_000) for i in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {StoreFull}
    assert store.range("/b/").items == []
    with pytest.raises(Conflict):
        await store.put("/b/0", b"", expected=newest.revision + 1)
    await store.compact(store.revision)
    later = await store.put("/c", b"x" * 10_000)
    assert later.revision > newest.revision + 5
    before = store.range("")
    store = await reopened(store, path)
    assert (store.range(""), store.revision) == (before, later.revision)
    await store.close()


async def test_one_write_too_large_does_not_take_others_down_with_it(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock(), quota_bytes=100_000)
    await store.put("/old", b"")
    small = [store.put(f"/small/{i}", b"") for i in range(9)]
    large = [store.put("/large", b"x" * 200_000), store.put("/large", b"builds on the one before")]
    gone = store.delete("/old")
    results = await asyncio.gather(*small[:4], *large, *small[4:], gone, return_exceptions=True)
    failed = [type(result) for result in results if isinstance(result, BaseException)]
    assert failed == [StoreFull, StoreFull]
    assert len(store.range("/small/").items) == 9
    assert store.get("/old") is None
    assert store.get("/large") is None
    before = (store.range(""), history(store, 0))
    store = await reopened(store, path)
    assert (store.range(""), history(store, 0)) == before
    await store.close()


async def test_a_lease_ends_also_when_the_store_is_full(path: Path) -> None:
    store = await EmbeddedStore.open(path, SystemClock(), quota_bytes=100_000)
    gone: asyncio.Future[Sequence[Event]] = asyncio.get_running_loop().create_future()
    item = await store.put("/leased", b"", lease_seconds=0.05)
    store.watch("/leased", item.revision, gone.set_result)
    while not gone.done():
        with pytest.raises(StoreFull):
            await store.put("/large", b"x" * 200_000)
    assert store.get("/leased") is None
    await store.close()


def test_in_memory_there_is_no_thread_and_time_is_the_loops() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    async def simulate() -> tuple[list[tuple[str, str, int]], float]:
        store = await EmbeddedStore.open(None, LoopClock(start))
        trace: list[tuple[str, str, int]] = []
        gone = asyncio.Event()

        def receive(events: Sequence[Event]) -> None:
            trace.extend((event.type, event.item.key, event.item.revision) for event in events)
            if trace[-1][0] == "DELETE" and store.get("/lease/1") is None:
                gone.set()

        store.watch("", 0, receive)

        async def write(worker: int) -> None:
            for i in range(10):
                await asyncio.sleep(worker * 0.5)
                await store.put(f"/{worker}/{i}", b"")

        await asyncio.gather(store.put("/lease/1", b"", lease_seconds=3600), *(write(worker) for worker in range(5)))
        threads = threading.active_count()
        await gone.wait()
        assert threading.active_count() == threads
        await store.close()
        return trace, asyncio.get_running_loop().time()

    threads = threading.active_count()
    first, second = run_virtual(simulate()), run_virtual(simulate())
    assert threading.active_count() == threads
    assert first == second
    assert first[1] == pytest.approx(3600)
