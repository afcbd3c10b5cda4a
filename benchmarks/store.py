"""Puts per second of the store. Run: `python benchmarks/store.py [folder]`; prints one line for each case.

Values are 1.8 kB, keys are those of pods; each writer awaits its put before the next one. On uvloop.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore

VALUE = b"x" * 1800
ROUNDS = 3


async def puts_per_second(path: Path | None, writers: int, total: int) -> float:
    """One fresh store, `total` creates spread over the writers, with a watch on all of them."""
    store = await EmbeddedStore.open(path, SystemClock())
    store.watch("/registry/pods/", 0, len)

    async def write(writer: int) -> None:
        for i in range(total // writers):
            await store.put(f"/registry/pods/default/pod-{i}-{writer}", VALUE, expected=0)

    begin = time.perf_counter()
    await asyncio.gather(*(write(writer) for writer in range(writers)))
    seconds = time.perf_counter() - begin
    await store.close()
    return total / seconds


def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else None
    for driver in ("file", "memory"):
        for writers, total in ((1, 3200), (16, 16000), (64, 32000), (256, 64000)):
            figures = []
            for _ in range(ROUNDS):
                with tempfile.TemporaryDirectory(dir=folder) as made:
                    path = Path(made) / "store.db" if driver == "file" else None
                    figures.append(uvloop.run(puts_per_second(path, writers, total)))
            print(f"{driver:6} {writers:4} writers: {statistics.median(figures):8.0f} puts/s")


if __name__ == "__main__":
    main()
