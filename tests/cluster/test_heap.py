"""Memory that nobody needs any more goes back to the kernel."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio
from pathlib import Path
from pybernetes.cluster import heap

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 10**6

async def main():
    heap._LOOK_SECONDS = 0
    begun = megabytes()
    crowd, stays = [], []
    for n in range(60_000):
        crowd.append(bytes(5000))
        if n % 50 == 0:
            # What lies in between keeps the C library from giving anything back by itself.
            stays.append(bytes(1000))
    del crowd
    assert megabytes() - begun > 200, megabytes()
    giving = asyncio.create_task(heap.give_back())
    while megabytes() - begun > 50:
        await asyncio.sleep(0)
    giving.cancel()
    print("given back")

heap.keep_what_is_large()
asyncio.run(main())
"""


def test_what_a_crowd_has_left_behind_is_given_back() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == "given back\n", ended.stderr
