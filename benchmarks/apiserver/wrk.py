"""Load by wrk over TLS: what to request goes in, answers per second come out. Called by `__main__`."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.apiserver.pods import PATH, pod
from benchmarks.apiserver.served import USER, Served

_RATE = re.compile(r"Requests/sec:\s*([\d.]+)")
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_SOCKETS = re.compile(r"Socket errors: .*")
_NAME = "@NAME@"
_GET = 'wrk.headers["Authorization"] = "Bearer {token}"\nwrk.path = "{path}"\n'
# Names are unique in a run and among runs: `prefix` is the run's own.
_CREATE = """wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.headers["Content-Type"] = "application/json"
local before, after = [==[{before}]==], [==[{after}]==]
local number = 0
request = function()
  number = number + 1
  return wrk.format(nil, "{path}", nil, before .. "{prefix}-" .. number .. after)
end
"""


@dataclass(frozen=True)
class Load:
    """`per_second` successful answers; `problems` is empty when there was nothing but these."""

    per_second: float
    problems: str = ""


def require_wrk() -> None:
    """Ends the program with a word when there is no wrk on this machine."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed; as root: apt-get install wrk")


async def gets(served: Served, path: str, connections: int, seconds: float) -> Load:
    """The same GET again and again."""
    return await _run(served, _GET.format(token=USER, path=path), connections, seconds)


async def creates(served: Served, prefix: str, connections: int, seconds: float) -> Load:
    """Creates of pods with names of their own."""
    before, after = json.dumps(pod(_NAME)).split(_NAME)
    script = _CREATE.format(token=USER, path=PATH, before=before, after=after, prefix=prefix)
    return await _run(served, script, connections, seconds)


async def _run(served: Served, script: str, connections: int, seconds: float) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            *("wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"),
            *("-s", str(Path(file.name)), served.url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
    text = out.decode()
    rate = _RATE.search(text)
    if rate is None:
        raise RuntimeError(f"wrk: {text}")
    bad, sockets = _BAD.search(text), _SOCKETS.search(text)
    return Load(float(rate[1]), " ".join(found[0] for found in (bad, sockets) if found))
