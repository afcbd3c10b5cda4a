"""Runs the cases and prints the table: `python -m benchmarks.load [--quick] [--only CASE ...]`.

Memory is the server's; `peak` the most it held meanwhile, `after` what it holds when all strangers have left.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from benchmarks.apiserver.served import Served
from benchmarks.load.cases import CASES, Case, Scene, filled
from benchmarks.load.neighbour import Report

_COLUMNS = (
    *("strangers", "MB before", "peak", "after", "good requests", "failed", "longest, ms"),
    *("of a new connection", "cpu %", "closed by the server", "descriptors left open"),
)


# As heavy as before, but for what lies between things that stay.
_LIGHT = 1.1


@dataclass(frozen=True)
class Weight:
    """What a process uses: bytes resident now and at most, open descriptors, CPU seconds."""

    now: int
    peak: int
    descriptors: int
    cpu: float


def weigh(pid: int) -> Weight:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    kilobytes = {name: int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM")}
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    return Weight(kilobytes["VmRSS"] * 1024, kilobytes["VmHWM"] * 1024, descriptors, seconds)


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def settled(pid: int, before: Weight) -> Weight:
    """The weight when the server has let go of the strangers and of what they took, or after some seconds."""
    for _ in range(200):
        found = weigh(pid)
        if found.descriptors <= before.descriptors and found.now < before.now * _LIGHT:
            break
        await asyncio.sleep(0.1)
    return weigh(pid)


async def beside_a_neighbour(port: int, work: Awaitable[int]) -> tuple[int, Report]:
    """Runs the work while a good client asks; what came of both."""
    pipe = asyncio.subprocess.PIPE
    words = (sys.executable, "-m", "benchmarks.load.neighbour", str(port))
    neighbour = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe)
    assert neighbour.stdout is not None
    await neighbour.stdout.readline()
    try:
        closed = await work
    finally:
        said, _ = await neighbour.communicate(b"")
    return closed, Report(**json.loads(said))


def line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


async def row(scene: Scene, text: str, case: Case) -> str:
    pid = scene.served.pid
    forget_peak(pid)
    before, began = weigh(pid), time.monotonic()
    closed, report = await beside_a_neighbour(scene.port, case(scene))
    seconds, worked = time.monotonic() - began, weigh(pid)
    after = await settled(pid, before)
    megabytes = [f"{size / 1e6:,.0f}" for size in (before.now, after.peak, after.now)]
    waits = [f"{seconds * 1e3:,.0f}" for seconds in (report.longest, report.longest_new)]
    cpu = f"{100 * (worked.cpu - before.cpu) / seconds:.0f}"
    left = max(after.descriptors - before.descriptors, 0)
    return line([text, *megabytes, report.served, report.failed, *waits, cpu, closed, left])


async def run(wanted: argparse.Namespace) -> None:
    """Each case has a fresh server, so that none inherits another's memory."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(line(_COLUMNS), line(["---"] * len(_COLUMNS)), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder) / "served")
        try:
            for name in wanted.only:
                served.forget_objects()
                await served.start()
                scene = Scene(served, wanted.crowd, wanted.seconds, wanted.changes)
                await filled(scene)
                print(await row(scene, *CASES[name]), flush=True)
                await served.stop()
        finally:
            await served.stop()
            log = (served.folder / "log").read_text()
            print(log[-wanted.log :] if wanted.log else "", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.load", description=__doc__)
    parser.add_argument("--crowd", type=int, default=1000, help="strangers in a crowd")
    parser.add_argument("--seconds", type=int, default=10, help="how long a case lasts at least")
    parser.add_argument("--changes", type=int, default=300, help="of what is watched, 50 kB each")
    parser.add_argument("--only", nargs="+", choices=[*CASES], default=[*CASES], metavar="CASE")
    parser.add_argument("--quick", action="store_true", help="a crowd of a hundred, for a look")
    parser.add_argument("--log", type=int, default=0, help="show so many characters of the server's log")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.crowd, wanted.seconds, wanted.changes = 100, 3, 100
    uvloop.run(run(wanted))


if __name__ == "__main__":
    main()
