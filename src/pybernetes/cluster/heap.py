"""The C library's heap: when it asks the kernel for memory, and when it gives back what it no longer needs.

`apiserver_process` sets it up when it starts and keeps `give_back` running. Other C libraries than glibc have nothing
of all this, and are left as they are.
"""

from __future__ import annotations

import asyncio
import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LOOK_SECONDS = 10.0
# Less than this may lie idle: it will be needed again.
_IDLE_BYTES = 128 * 1024 * 1024

_libc = ctypes.CDLL(None)


class _Mallinfo2(ctypes.Structure):
    """Bytes; `fordblks` are free ones that the process holds."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()  # noqa: SIM905
    ]


def keep_what_is_large() -> None:
    """Large blocks come from the heap, and its end is given back only when it has become long.

    Lists and watch events are large and short-lived: given back to the kernel after each use, their memory would cost a
    page fault per 4 kB with every answer.
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 8 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 64 * 1024 * 1024)


async def give_back() -> None:
    """Looks now and then whether much lies idle that a crowd has left behind, and gives it back; until cancelled."""
    mallinfo, trim = getattr(_libc, "mallinfo2", None), getattr(_libc, "malloc_trim", None)
    if mallinfo is None or trim is None:
        return
    mallinfo.restype = _Mallinfo2
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if mallinfo().fordblks > _IDLE_BYTES:
            # In a thread: it takes a tenth of a second for a gigabyte.
            await asyncio.to_thread(trim, 0)
