"""/debug/flags and /debug/pprof, for those who may ask: how much is logged, and what the process is doing.

A request goes in, an answer comes out; None for other paths. Called by `endpoints` unless --profiling is off.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import traceback

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.discovery import UNCACHED
from pybernetes.apiserver.query_numbers import parse_int

_PLAIN = {"content-type": "text/plain", "cache-control": UNCACHED, "x-content-type-options": "nosniff"}
_TEXT = {**_PLAIN, "content-type": "text/plain; charset=utf-8"}
_HTML = {**_PLAIN, "content-type": "text/html; charset=utf-8"}
# From this verbosity on upstream's components tell what they do step by step.
_DEBUG_FROM = 4
_FLAGS_PAGE = (
    b"<html>\n<head>\n<title>/debug/flags/</title>\n</head>\n<body>\n/debug/flags/<br>\n<br>\nflags:<br>\n<table>\n"
    b"<tr>v<br>\n</table>\n<br>\nfull flags configurable<br>\n</body>\n</html>\n"
)
_PROFILES = {
    "cmdline": "The command line invocation of the current program",
    "goroutine": "Stack traces of all tasks and threads",
}


def answer(request: Request) -> Response | None:
    """The answer of a path below /debug."""
    path = request.path
    if path == "/debug/flags/v":
        return _verbosity(request)
    if path == "/debug/flags" or path.startswith("/debug/flags/"):
        return Response(200, _HTML, _FLAGS_PAGE)
    if path == "/debug/pprof":
        return Response(302, {"location": "/debug/pprof/", "cache-control": UNCACHED})
    if path.startswith("/debug/pprof/"):
        return _profile(path.removeprefix("/debug/pprof/"))
    return None


def _verbosity(request: Request) -> Response:
    """Sets how much is logged: upstream's numbers from 0 (errors and news) on."""
    if request.method != "PUT":
        return Response(406, _PLAIN, b"unsupported http method\n")
    wanted = request.body.decode("utf-8", "replace")
    try:
        level = parse_int(wanted)
    except ValueError as error:
        return Response(400, _PLAIN, f"failed set klog.logging.verbosity {wanted}: {error}\n".encode())
    logging.getLogger("pybernetes").setLevel(logging.DEBUG if level >= _DEBUG_FROM else logging.INFO)
    return Response(200, _PLAIN, f"successfully set klog.logging.verbosity to {wanted}\n".encode())


def _profile(name: str) -> Response:
    match name:
        case "":
            rows = "".join(
                f'<li><a href="{each}?debug=1">{each}</a>: {what}</li>\n' for each, what in _PROFILES.items()
            )
            page = (
                f"<html>\n<head>\n<title>/debug/pprof/</title>\n</head>\n<body>\n<ul>\n{rows}</ul>\n</body>\n</html>\n"
            )
            return Response(200, _HTML, page.encode())
        case "cmdline":
            return Response(200, _TEXT, "\0".join(sys.argv).encode())
        case "symbol":
            return Response(200, _TEXT, b"num_symbols: 1\n")
        case "goroutine":
            return Response(200, _TEXT, _stacks().encode())
    return Response(404, {**_TEXT, "x-go-pprof": "1"}, b"Unknown profile\n")


def _stacks() -> str:
    """Where every task and thread is."""
    out = io.StringIO()
    for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
        task.print_stack(file=out)
        out.write("\n")
    for thread, frame in sys._current_frames().items():
        out.write(f"thread {thread}:\n{''.join(traceback.format_stack(frame))}\n")
    return out.getvalue()
