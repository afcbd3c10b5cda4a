"""A store process is killed at random points under load, again and again, and what it acknowledged is looked for."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from pybernetes.environment.clock import SystemClock
from pybernetes.store.contract import Event
from pybernetes.store.embedded import EmbeddedStore

ROUNDS = 40
KEYS = 40

# Writes to random keys from 16 tasks and prints each acknowledged change, as one unbuffered line, after it came back.
CHILD = """
import asyncio, os, random, sys
from pathlib import Path
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore
from pybernetes.store.errors import StoreError

async def write(store, chance):
    while True:
        key = f"/k/{chance.randrange(%(keys)d)}"
        value = b"%%d" %% chance.getrandbits(60) + b"x" * chance.randrange(3000)
        current = store.get(key)
        try:
            if chance.random() < 0.2:
                kind, item = "DELETE", await store.delete(key, current.revision if current else None)
            else:
                kind, item = "PUT", await store.put(key, value, current.revision if current else 0)
        except StoreError as error:
            if type(error).__name__ not in ("Conflict", "StoreFailed", "StoreFull"):
                raise
            if type(error).__name__ != "Conflict":
                os.write(1, b"failed\\n")
        else:
            os.write(1, f"{kind} {item.key} {item.revision} {item.value[:19].decode()}\\n".encode())

async def compact(store):
    while True:
        await asyncio.sleep(0.05)
        try:
            await store.compact(max(store.revision - 200, store.compacted + 1))
        except StoreError:
            pass

async def main(path, seed):
    store = await EmbeddedStore.open(Path(path), SystemClock())
    chance = random.Random(int(seed))
    await asyncio.gather(compact(store), *(write(store, chance) for _ in range(16)))

%(before)s
asyncio.run(main(*sys.argv[1:]))
"""
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"

Change = tuple[str, str, str]


def run_until_killed(path: Path, chance: random.Random, lines: int, before: str = "") -> list[str]:
    """Lets a child work until it has printed about `lines` lines, kills it, and returns all that it printed."""
    program = CHILD % {"keys": KEYS, "before": before}
    command = [sys.executable, "-c", program, str(path), str(chance.getrandbits(30))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        printed = [child.stdout.readline().decode() for _ in range(lines)]
        child.kill()
        printed += child.stdout.read().decode().splitlines(keepends=True)
    # The last line may have been cut off by the kill.
    return [line for line in printed if line.endswith("\n")]


def acknowledged(lines: list[str]) -> dict[int, Change]:
    changes = {}
    for kind, key, revision, value in (line.split() for line in lines if line != "failed\n"):
        changes[int(revision)] = (kind, key, value)
    return changes


async def check(path: Path, known: dict[int, Change]) -> int:
    """Every acknowledged change is in the file, as it was; returns the newest revision."""
    store = await EmbeddedStore.open(path, SystemClock())
    events: list[Event] = []
    store.watch("", store.compacted, events.extend)
    kept = {event.item.revision: describe(event) for event in events}
    for revision, change in known.items():
        assert revision <= store.revision
        if revision > store.compacted:
            assert kept[revision] == change
    # What compaction took is still told by the states it left.
    newest = {key: (revision, kind, value) for revision, (kind, key, value) in sorted(known.items())}
    base = {item.key: item for item in store.range("", revision=store.compacted).items}
    for key, (revision, kind, value) in newest.items():
        if revision > store.compacted:
            continue
        item = base.get(key)
        if item is None or item.revision != revision:
            # Then an unacknowledged one came after it, or it was a deletion.
            assert kind == "DELETE" or item is None or item.revision > revision
        else:
            assert item.value[:19].decode() == value
    known.update(kept)
    revision = store.revision
    await store.close()
    return revision


def describe(event: Event) -> Change:
    return event.type, event.item.key, event.item.value[:19].decode()


def test_nothing_acknowledged_is_lost_and_no_revision_is_used_twice(tmp_path: Path) -> None:
    path, chance = tmp_path / "store.db", random.Random(1)
    known: dict[int, Change] = {}
    newest = 1
    for _ in range(ROUNDS):
        changes = acknowledged(run_until_killed(path, chance, chance.randrange(1, 1500)))
        assert min(changes) > newest
        known.update(changes)
        newest = asyncio.run(check(path, known))


def test_a_full_disk_corrupts_nothing(tmp_path: Path) -> None:
    """The operating system refuses to let the files grow any further, in the midst of commits."""
    path, chance = tmp_path / "store.db", random.Random(2)
    known: dict[int, Change] = {}
    newest = 1
    for _ in range(3):
        lines = run_until_killed(path, chance, 3000, LIMIT)
        assert "failed\n" in lines
        changes = acknowledged(lines)
        assert min(changes, default=newest + 1) > newest
        known.update(changes)
        newest = asyncio.run(check(path, known))
    # With room again it goes on as if nothing had been.
    changes = acknowledged(run_until_killed(path, chance, 200))
    assert min(changes) > newest
    known.update(changes)
    asyncio.run(check(path, known))
