"""Runs the whole benchmark and prints the table: `python -m benchmarks.apiserver [--quick] [--runs N]`.

Each figure is the best of N short runs, because the machine may be busy with other work; `--only` runs a part.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from benchmarks.apiserver.fanout import fan_out
from benchmarks.apiserver.marks import table
from benchmarks.apiserver.pods import PATH, RARE, Loader, plain_pods, pods, prepare
from benchmarks.apiserver.served import USER, Served
from benchmarks.apiserver.wrk import Load, creates, gets, require_wrk

PARTS = ("start", "create", "get", "list", "watch", "full")
WATCHED_PODS = 300


class Benchmark:
    """One server, loaded step by step; `figures` is what came out."""

    def __init__(self, served: Served, wanted: argparse.Namespace) -> None:
        self.figures: dict[str, float] = {}
        self._served = served
        self._runs = wanted.runs
        self._seconds = wanted.seconds
        self._pods = wanted.pods
        self._only = set(wanted.only)

    async def run(self) -> None:
        await self._fresh()
        if self._only & {"start"}:
            await self._starts()
        if self._only & {"create"}:
            await self._creates()
        if self._only & {"get", "list", "watch", "full"}:
            await self._fresh()
            await self._reads()
        if self._only & {"watch"}:
            await self._watches()
        if self._only & {"full"}:
            await self._full()

    async def _fresh(self) -> float:
        """An empty server; seconds until it was ready. The first start of all also makes the keys."""
        await self._served.stop()
        self._served.forget_objects()
        seconds = await self._served.start()
        await prepare(self._served)
        return seconds

    async def _starts(self) -> None:
        self.figures["ready-empty"] = min([await self._fresh() for _ in range(self._runs + 1)])
        self.figures["memory-idle"] = self._served.megabytes()
        self._say("ready-empty", "memory-idle")

    async def _creates(self) -> None:
        for connections in (1, 16, 64):
            key = f"create-{connections}"
            runs = [
                lambda n=n, c=connections: creates(self._served, f"c{c}-{n}", c, self._seconds)
                for n in range(self._runs)
            ]
            await self._best(key, runs)

    async def _reads(self) -> None:
        loader = await Loader.open(self._served.port, USER)
        await loader.create(PATH, pods("pod", self._pods))
        loader.close()
        self.figures["memory-full"] = self._served.megabytes()
        self._say("memory-full")
        for key, part, query, connections in (
            ("get", "get", "/pod-7", 16),
            ("list-500", "list", "?limit=500", 4),
            ("list-all", "list", "", 2),
            ("list-label", "list", f"?labelSelector={RARE.replace('=', '%3D')}", 4),
        ):
            if part in self._only:
                run = lambda query=query, c=connections: gets(self._served, PATH + query, c, self._seconds)  # noqa: E731
                await self._best(key, [run] * self._runs)
        if "list" in self._only:
            print(f"memory after the lists: {self._served.megabytes():.0f} MB", flush=True)

    async def _watches(self) -> None:
        for kind, bodies in (("watch", pods), ("watch-plain", plain_pods)):
            for watchers in (100, 500):
                key = f"{kind}-{watchers}"
                found = [
                    await fan_out(self._served, PATH, watchers, bodies(f"{key}-{run}", WATCHED_PODS))
                    for run in range(self._runs)
                ]
                self.figures[key] = max(found)
                self._say(key)

    async def _full(self) -> None:
        seconds = []
        for _ in range(self._runs):
            await self._served.stop()
            seconds.append(await self._served.start())
        self.figures["ready-full"] = min(seconds)
        print(f"memory after that start: {self._served.megabytes():.0f} MB")
        self._say("ready-full")

    async def _best(self, key: str, runs: list[Callable[[], Awaitable[Load]]]) -> None:
        found = [await run() for run in runs]
        for each in found:
            if each.problems:
                print(f"{key}: {each.problems}", file=sys.stderr)
        self.figures[key] = max(each.per_second for each in found)
        self._say(key)

    def _say(self, *keys: str) -> None:
        for key in keys:
            print(f"{key}: {self.figures[key]:,.2f}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apiserver", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of a second each, 2,000 pods")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each run of wrk")
    parser.add_argument("--pods", type=int, default=17_000, help="the marks are for 17,000")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; may be given several times")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.runs, wanted.seconds, wanted.pods = 1, 1.0, min(wanted.pods, 2_000)
    wanted.only = wanted.only or list(PARTS)
    return wanted


async def _main(wanted: argparse.Namespace) -> int:
    require_wrk()
    with tempfile.TemporaryDirectory(prefix="pyb-bench-") as folder:
        served = Served(Path(folder))
        benchmark = Benchmark(served, wanted)
        try:
            async with asyncio.timeout(300):
                await benchmark.run()
        finally:
            await served.stop()
    print("\n" + table(benchmark.figures))
    return 0


if __name__ == "__main__":
    sys.exit(uvloop.run(_main(_arguments())))
