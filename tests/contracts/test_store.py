"""The sentences of `store.contract`, held against every driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from pybernetes.environment.clock import SystemClock
from pybernetes.store.contract import Event, Store
from pybernetes.store.embedded import EmbeddedStore
from pybernetes.store.errors import Compacted, Conflict, FutureRevision, StoreClosed

PODS = "/registry/pods/"


@pytest.fixture(params=["memory", "file"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    path = tmp_path / "store.db" if request.param == "file" else None
    opened = await EmbeddedStore.open(path, SystemClock())
    yield opened
    await opened.close()


def seen(events: Sequence[Event]) -> list[tuple[str, str, int]]:
    return [(event.type, event.item.key, event.item.revision) for event in events]


def keys(store: Store, prefix: str, start: str = "", limit: int = 0, revision: int | None = None) -> list[str]:
    return [item.key for item in store.range(prefix, start, limit, revision).items]


class TestWrites:
    async def test_an_empty_store_is_at_revision_1(self, store: Store) -> None:
        assert (store.revision, store.compacted) == (1, 0)
        assert store.get("/a") is None
        assert store.range("").items == []

    async def test_a_store_can_be_reached_without_writing(self, store: Store) -> None:
        await store.reach()
        assert store.revision == 1
        await store.put("/a", b"1" * 10_000)
        assert store.size_bytes == 0 or store.size_bytes > 10_000

    async def test_every_write_takes_the_next_revision(self, store: Store) -> None:
        first = await store.put(PODS + "default/a", b"1")
        second = await store.put(PODS + "default/a", b"2")
        other = await store.put(PODS + "default/b", b"3")
        gone = await store.delete(PODS + "default/a")
        again = await store.put(PODS + "default/a", b"4")
        assert [(x.create_revision, x.revision) for x in (first, second, other, gone, again)] == [
            (2, 2), (2, 3), (4, 4), (2, 5), (6, 6),
        ]  # fmt: skip
        assert gone.value == b"2"
        assert store.get(PODS + "default/a") == again
        assert store.revision == 6

    async def test_expected_zero_means_must_not_exist(self, store: Store) -> None:
        item = await store.put("/a", b"1", expected=0)
        with pytest.raises(Conflict) as conflict:
            await store.put("/a", b"2", expected=0)
        assert conflict.value.current == item
        await store.delete("/a")
        assert (await store.put("/a", b"3", expected=0)).create_revision == store.revision

    async def test_expected_n_means_the_revision_must_be_n(self, store: Store) -> None:
        first = await store.put("/a", b"1")
        second = await store.put("/a", b"2", expected=first.revision)
        for write in (store.put("/a", b"3", expected=first.revision), store.delete("/a", expected=first.revision)):
            with pytest.raises(Conflict) as conflict:
                await write
            assert conflict.value.current == second
        with pytest.raises(Conflict) as conflict:
            await store.put("/b", b"1", expected=7)
        assert conflict.value.current is None
        await store.delete("/a", expected=second.revision)
        assert store.get("/a") is None

    async def test_deleting_what_is_not_there_is_a_conflict(self, store: Store) -> None:
        with pytest.raises(Conflict) as conflict:
            await store.delete("/a")
        assert conflict.value.current is None
        assert store.revision == 1

    async def test_of_competing_writes_one_wins_and_the_others_learn_what_won(self, store: Store) -> None:
        results = await asyncio.gather(
            *(store.put("/a", b"%d" % i, expected=0) for i in range(20)), return_exceptions=True
        )
        winners = [result for result in results if not isinstance(result, BaseException)]
        losers = [result for result in results if isinstance(result, Conflict)]
        assert (len(winners), len(losers)) == (1, 19)
        assert {loser.current for loser in losers} == {winners[0]} == {store.get("/a")}

    async def test_competing_increments_lose_nothing(self, store: Store) -> None:
        await store.put("/counter", b"0")

        async def increment() -> None:
            while True:
                item = store.get("/counter")
                assert item is not None
                try:
                    await store.put("/counter", b"%d" % (int(item.value) + 1), expected=item.revision)
                except Conflict:
                    continue
                return

        await asyncio.gather(*(increment() for _ in range(15)))
        item = store.get("/counter")
        assert item is not None and item.value == b"15"

    async def test_unconditional_writes_of_one_key_at_once_all_count(self, store: Store) -> None:
        items = await asyncio.gather(*(store.put("/a", b"%d" % i) for i in range(10)))
        assert [item.revision for item in items] == list(range(2, 12))
        assert {item.create_revision for item in items} == {2}
        assert store.get("/a") == items[-1]

    async def test_a_write_is_not_seen_before_it_is_committed(self, store: Store) -> None:
        task = asyncio.create_task(store.put("/a", b"1"))
        assert store.get("/a") is None
        await task
        assert store.get("/a") is not None

    async def test_cancelling_the_writer_does_not_take_the_write_back(self, store: Store) -> None:
        arrived = asyncio.Event()
        store.watch("/a", 0, lambda _: arrived.set())
        task = asyncio.create_task(store.put("/a", b"1"))
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        await arrived.wait()
        assert store.get("/a") is not None

    async def test_odd_keys_and_values(self, store: Store) -> None:
        for key in ("", "/", "a", "/é/ü/\U0001f600", "/a/\0", "//", "/registry/x/" + "y" * 5000):
            await store.put(key, b"\0\xff" * 10)
            item = store.get(key)
            assert item is not None and item.value == b"\0\xff" * 10
        await store.put("/empty", b"")
        with pytest.raises(UnicodeEncodeError):
            await store.put("/\ud800", b"")
        gone = await store.delete("/empty")
        assert gone.value == b""


class TestRange:
    async def test_keys_come_in_bytewise_order_whatever_the_prefix(self, store: Store) -> None:
        names = ["/r/a/x", "/r/a-b/x", "/r/a", "/r/ab/c", "/r/a/y", "/r/é/z", "/r/\U0001f600/z", "/r/z/\uffff", "/q"]
        await asyncio.gather(*(store.put(name, b"") for name in names))
        for prefix in ("", "/", "/r", "/r/", "/r/a", "/r/a/", "/r/a/y", "/nothing/here/"):
            expected = sorted((name for name in names if name.startswith(prefix)), key=str.encode)
            assert keys(store, prefix) == expected

    async def test_pages_make_up_the_whole(self, store: Store) -> None:
        for name in "cabed":
            await store.put(PODS + "default/" + name, b"")
        await store.put("/registry/podsecurity/z", b"")
        page = store.range(PODS, limit=2)
        assert ([x.key[-1] for x in page.items], page.more, page.remaining) == (["a", "b"], True, 3)
        page = store.range(PODS, start=PODS + "default/b\0", limit=2)
        assert ([x.key[-1] for x in page.items], page.more, page.remaining) == (["c", "d"], True, 1)
        page = store.range(PODS, start=PODS + "default/e", limit=2)
        assert ([x.key[-1] for x in page.items], page.more, page.remaining) == (["e"], False, 0)
        assert store.range(PODS, start="/a", limit=1).items[0].key == PODS + "default/a"
        assert keys(store, PODS, start="/z") == []

    async def test_an_old_revision_is_answered_as_it_was(self, store: Store) -> None:
        states = {1: {}}
        alive: dict[str, bytes] = {}
        for step in range(60):
            key = PODS + "default/" + "abcdefg"[step * 5 % 7]
            if step % 3 == 2 and key in alive:
                await store.delete(key)
                del alive[key]
            else:
                await store.put(key, b"%d" % step)
                alive[key] = b"%d" % step
            states[store.revision] = dict(sorted(alive.items()))
        for revision, state in states.items():
            whole = store.range(PODS, revision=revision)
            assert {item.key: item.value for item in whole.items} == state
            assert (whole.revision, whole.more, whole.remaining) == (revision, False, 0)
            start, paged = "", []
            while True:
                page = store.range(PODS, start=start, limit=2, revision=revision)
                paged += page.items
                assert page.remaining == len(state) - len(paged)
                assert page.more == (page.remaining > 0)
                if not page.more:
                    break
                start = page.items[-1].key + "\0"
            assert [(item.key, item.value) for item in paged] == list(state.items())

    async def test_the_future_is_not_known(self, store: Store) -> None:
        with pytest.raises(FutureRevision) as error:
            store.range("", revision=2)
        assert (error.value.revision, error.value.current) == (2, 1)


class TestWatch:
    async def test_history_comes_first_and_then_what_happens(self, store: Store) -> None:
        await store.put(PODS + "a/1", b"1")
        await store.put("/registry/nodes/n", b"")
        await store.put(PODS + "a/2", b"2")
        calls: list[Sequence[Event]] = []
        watch = store.watch(PODS, 2, calls.append)
        assert [seen(call) for call in calls] == [[("PUT", PODS + "a/2", 4)]]
        await store.delete(PODS + "a/1")
        assert seen(calls[-1]) == [("DELETE", PODS + "a/1", 5)]
        watch.close()
        watch.close()
        await store.put(PODS + "a/3", b"3")
        assert len(calls) == 2

    async def test_events_tell_what_was_before(self, store: Store) -> None:
        first = await store.put("/a", b"1")
        second = await store.put("/a", b"2")
        gone = await store.delete("/a")
        events: list[Event] = []
        store.watch("/", 0, events.extend)
        assert events == [Event("PUT", first, None), Event("PUT", second, first), Event("DELETE", gone, second)]
        assert (gone.value, gone.create_revision) == (b"2", 2)

    @pytest.mark.parametrize("prefix", ["", "/registry/pods", PODS, PODS + "ns1/", PODS + "ns1/p3"])
    async def test_nothing_is_left_out_or_told_twice(self, store: Store, prefix: str) -> None:
        events: list[Event] = []

        async def write(worker: int) -> None:
            for i in range(12):
                await store.put(f"{PODS}ns{worker % 2}/p{i}", b"")

        await write(1)
        store.watch(prefix, 5, events.extend)
        await asyncio.gather(*(write(worker) for worker in range(4)))
        everything: list[Event] = []
        store.watch("", 5, everything.extend)
        assert [event.item.revision for event in everything] == list(range(6, store.revision + 1))
        assert events == [event for event in everything if event.item.key.startswith(prefix)]

    async def test_a_batch_is_one_call_and_told_before_the_writers(self, store: Store) -> None:
        order: list[object] = []
        store.watch("/", 0, lambda events: order.append(len(events)))

        async def write(key: str) -> None:
            await store.put(key, b"")
            order.append(key)

        await asyncio.gather(*(write(key) for key in ("/a", "/b", "/c")))
        assert order == [3, "/a", "/b", "/c"]

    async def test_a_receiver_sees_the_state_after_the_batch_and_may_start_and_close_watches(
        self, store: Store
    ) -> None:
        inner: list[Event] = []
        found: list[object] = []

        def receive(events: Sequence[Event]) -> None:
            found.append((store.get("/b/c/d") is not None, store.revision))
            store.watch("/", 0, inner.extend)
            outer.close()

        outer = store.watch("/", store.revision, receive)
        await asyncio.gather(store.put("/a/b/c", b""), store.put("/b/c/d", b""))
        await store.put("/c", b"")
        assert found == [(True, 3)]
        assert [event.item.revision for event in inner] == [2, 3, 4]

    async def test_since_the_future_leaves_out_what_comes_until_then(self, store: Store) -> None:
        events: list[Event] = []
        store.watch("/", 3, events.extend)
        for key in ("/a", "/b", "/c"):
            await store.put(key, b"")
        assert seen(events) == [("PUT", "/c", 4)]


class TestCompaction:
    async def test_history_goes_and_states_stay(self, store: Store) -> None:
        await store.put("/a", b"1")  # 2
        await store.put("/a", b"2")  # 3
        await store.put("/b", b"1")  # 4
        await store.delete("/b")  # 5
        await store.put("/a", b"3")  # 6
        await store.compact(5)
        assert store.compacted == 5
        for past in (lambda: store.range("/", revision=4), lambda: store.watch("/", 4, print)):
            with pytest.raises(Compacted) as error:
                past()
            assert (error.value.revision, error.value.compacted) == (4, 5)
        assert [item.value for item in store.range("/", revision=5).items] == [b"2"]
        events: list[Event] = []
        store.watch("/", 5, events.extend)
        assert [(event.item.revision, event.previous.revision) for event in events if event.previous] == [(6, 3)]
        item = store.get("/a")
        assert item is not None and (item.value, item.create_revision) == (b"3", 2)

    async def test_only_forwards_and_not_into_the_future(self, store: Store) -> None:
        await store.put("/a", b"")
        with pytest.raises(FutureRevision):
            await store.compact(3)
        await store.compact(2)
        for revision in (1, 2):
            with pytest.raises(Compacted):
                await store.compact(revision)

    async def test_a_running_watch_goes_on(self, store: Store) -> None:
        events: list[Event] = []
        store.watch("/", 0, events.extend)
        await store.put("/a", b"")
        await store.compact(2)
        await store.put("/a", b"")
        assert [event.item.revision for event in events] == [2, 3]

    async def test_writes_go_on_meanwhile(self, store: Store) -> None:
        for _ in range(30):
            await asyncio.gather(*(store.put(f"/k/{i}", b"") for i in range(100)))
        compaction = asyncio.create_task(store.compact(store.revision))
        await asyncio.gather(*(store.put(f"/k/{i}", b"new") for i in range(100)))
        await compaction
        assert {item.value for item in store.range("/k/").items} == {b"new"}


class TestLeases:
    @pytest.fixture
    def gone(self, store: Store) -> Callable[[str], Awaitable[Event]]:
        """Waits for a key's DELETE event."""

        async def wait(key: str) -> Event:
            found: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

            def receive(events: Sequence[Event]) -> None:
                for event in events:
                    if event.type == "DELETE" and not found.done():
                        found.set_result(event)

            watch = store.watch(key, store.compacted, receive)
            try:
                return await found
            finally:
                watch.close()

        return wait

    async def test_a_key_goes_when_its_lease_ends(self, store: Store, gone: Callable[[str], Awaitable[Event]]) -> None:
        item = await store.put("/a", b"1", lease_seconds=0.01)
        event = await gone("/a")
        assert event.previous == item
        assert event.item.revision == 3
        assert store.get("/a") is None

    async def test_another_put_in_time_renews_it_or_ends_it(
        self, store: Store, gone: Callable[[str], Awaitable[Event]]
    ) -> None:
        await asyncio.gather(
            *(store.put(key, b"1", lease_seconds=0.03) for key in ("/renewed", "/kept", "/again", "/plain"))
        )
        await asyncio.gather(
            store.put("/renewed", b"2", lease_seconds=1000),
            store.put("/kept", b"2"),
            store.delete("/again"),
        )
        await store.put("/again", b"2")
        await gone("/plain")
        assert keys(store, "/") == ["/again", "/kept", "/renewed"]

    async def test_they_end_in_the_order_of_their_deadlines(
        self, store: Store, gone: Callable[[str], Awaitable[Event]]
    ) -> None:
        await store.put("/late", b"", lease_seconds=0.05)
        await store.put("/early", b"", lease_seconds=0.01)
        late, early = await asyncio.gather(gone("/late"), gone("/early"))
        assert early.item.revision < late.item.revision


class TestClosing:
    async def test_writes_under_way_are_finished_and_later_ones_refused(self, store: Store) -> None:
        under_way = [asyncio.create_task(store.put(f"/{i}", b"")) for i in range(5)]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        assert sorted(task.result().revision for task in under_way) == [2, 3, 4, 5, 6]
        for write in (store.put("/a", b""), store.delete("/1"), store.compact(3)):
            with pytest.raises(StoreClosed):
                await write
