"""Work that outlives whoever asked for it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from pybernetes.kubelet.runtime import RuntimeFailure
from pybernetes.kubelet.starting import unbroken


async def test_a_failure_that_nobody_waits_for_any_more_is_no_complaint() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    async def failing() -> None:
        begun.set()
        await may_end.wait()
        raise RuntimeFailure("no")

    asked = asyncio.create_task(unbroken(failing()))
    await begun.wait()
    asked.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asked
    gc.collect()
    assert complaints == []
