"""How cost grows with what a server holds and with who listens: `python -m benchmarks.apiserver.growth [--pods N ...]`.

Prints two tables: one row for each number of pods (all in one namespace, one in a hundred with the rare label), one for
each number of watchers of 300 pods being created.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop
from benchmarks.apiserver.fanout import fan_out
from benchmarks.apiserver.pods import PATH, RARE, Loader, pods, prepare
from benchmarks.apiserver.served import USER, Served
from benchmarks.apiserver.wrk import creates, gets, require_wrk

_WATCHED_PODS = 300
_SECONDS = 2.0
_RUNS = 3
_PODS_HEAD = (
    "| pods | create, 16 connections (per s) | get, 16 connections (per s) | list 500 (per s) "
    "| list by label, 1 % (per s) | list all, 1 connection (per s) | memory (MB) | ready after start (s) |\n"
    "|---|---|---|---|---|---|---|---|"
)
_WATCHERS_HEAD = "| watchers | events per s | memory after them (MB) |\n|---|---|---|"


async def _fresh(served: Served) -> None:
    await served.stop()
    served.forget_objects()
    await served.start()
    await prepare(served)


async def _pods_row(served: Served, count: int) -> str:
    await _fresh(served)
    loader = await Loader.open(served.port, USER)
    await loader.create(PATH, pods("pod", count))
    loader.close()
    memory = served.megabytes()
    get = await gets(served, f"{PATH}/pod-7", 16, _SECONDS)
    page = await gets(served, f"{PATH}?limit=500", 4, _SECONDS)
    labelled = await gets(served, f"{PATH}?labelSelector={RARE.replace('=', '%3D')}", 4, _SECONDS)
    listed = await gets(served, PATH, 1, _SECONDS)
    create = await creates(served, "more", 16, _SECONDS)
    await served.stop()
    ready = await served.start()
    rates = [f"{each.per_second:,.0f}" for each in (create, get, page, labelled)]
    return f"| {count:,} | {' | '.join(rates)} | {listed.per_second:,.1f} | {memory:,.0f} | {ready:.2f} |"


async def _watchers_row(served: Served, watchers: int) -> str:
    found = [await fan_out(served, PATH, watchers, pods(f"w{watchers}-{run}", _WATCHED_PODS)) for run in range(_RUNS)]
    return f"| {watchers:,} | {max(found):,.0f} | {served.megabytes():,.0f} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apiserver.growth", description=__doc__)
    parser.add_argument("--pods", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--watchers", type=int, nargs="*", default=[10, 100, 1_000])
    return parser.parse_args()


async def _main(wanted: argparse.Namespace) -> int:
    require_wrk()
    with tempfile.TemporaryDirectory(prefix="pyb-bench-") as folder:
        served = Served(Path(folder))
        try:
            async with asyncio.timeout(600):
                print(_PODS_HEAD)
                for count in wanted.pods:
                    print(await _pods_row(served, count), flush=True)
                await _fresh(served)
                print(f"\n{_WATCHERS_HEAD}")
                for watchers in wanted.watchers:
                    print(await _watchers_row(served, watchers), flush=True)
        finally:
            await served.stop()
    return 0


if __name__ == "__main__":
    sys.exit(uvloop.run(_main(_arguments())))
