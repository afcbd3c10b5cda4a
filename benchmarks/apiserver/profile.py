"""Where the server's time goes: `python -m benchmarks.apiserver.profile [create|get|list|watch]`; needs `py-spy`.

Samples a fresh server under load, all threads that are running, and prints which files of the project were at work,
with all that these had called in the interpreter and in libraries counted to them.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from benchmarks.apiserver.fanout import fan_out
from benchmarks.apiserver.pods import PATH, Loader, pods, prepare
from benchmarks.apiserver.served import USER, Served
from benchmarks.apiserver.wrk import creates, gets, require_wrk

_SECONDS = 5.0
_ROWS = 16
_PROJECT = "pybernetes/"
# Whoever runs the loop: what is below in a stack is the loop's own work.
_LOOP = frozenset({"", "cluster/running.py", "cli/main.py"})
_WRITER, _JOURNAL = "store/committer.py", "store/journal.py"


async def _create(served: Served) -> None:
    await creates(served, "pod", 64, _SECONDS + 1)


async def _get(served: Served) -> None:
    await gets(served, f"{PATH}/pod-7", 16, _SECONDS + 1)


async def _list(served: Served) -> None:
    await gets(served, f"{PATH}?limit=500", 4, _SECONDS + 1)


async def _watch(served: Served) -> None:
    for run in range(5):
        await fan_out(served, PATH, 500, pods(f"w{run}", 300))


_LOADS: dict[str, Callable[[Served], Awaitable[None]]] = {
    "create": _create,
    "get": _get,
    "list": _list,
    "watch": _watch,
}


def shares(stacks: str) -> Counter[str]:
    """Samples by the innermost file of the project in each stack; `stacks` are py-spy's raw lines, outermost first."""
    found: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        own = [frame.rpartition(_PROJECT)[2] for frame in stack.split(";") if _PROJECT in frame]
        file = own[-1].partition(":")[0] if own else ""
        if file == _WRITER and not any(_JOURNAL in frame for frame in own) and "_carry_out" not in stack:
            # The store's thread, waiting for work.
            continue
        found["(event loop: TLS, sockets, callbacks)" if file in _LOOP else file] += int(count)
    return found


async def _sampled(pid: int, out: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *("py-spy", "record", "--format", "raw", "--full-filenames", "--rate", "500", "--duration", str(int(_SECONDS))),
        *("--output", str(out), "--pid", str(pid)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"py-spy: {said.decode()}")
    return out.read_text()


async def _main(work: str) -> int:
    if shutil.which("py-spy") is None:
        print("py-spy is not installed; pip install py-spy", file=sys.stderr)
        return 1
    require_wrk()
    with tempfile.TemporaryDirectory(prefix="pyb-bench-") as folder:
        served = Served(Path(folder))
        try:
            await served.start()
            await prepare(served)
            loader = await Loader.open(served.port, USER)
            await loader.create(PATH, pods("pod", 1_000))
            loader.close()
            load = asyncio.ensure_future(_LOADS[work](served))
            found = shares(await _sampled(served.pid, Path(folder) / "stacks"))
            await load
        finally:
            await served.stop()
    total = found.total()
    print(f"| {work}: file | share |\n|---|---|")
    for file, count in found.most_common(_ROWS):
        print(f"| {file} | {count / total:.0%} |")
    return 0


if __name__ == "__main__":
    sys.exit(uvloop.run(_main(sys.argv[1] if len(sys.argv) > 1 else "create")))
