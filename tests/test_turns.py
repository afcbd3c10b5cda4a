"""Long computations leave the event loop, and nobody can tell by the answer."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pybernetes.api.turn import on_loop, spend
from pybernetes.apiserver.custom.expressions import expression_errors, schema_rules
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.turns import in_turns


async def test_what_is_short_stays_on_the_loop() -> None:
    def compute() -> int:
        spend(100)
        return threading.get_ident()

    assert await in_turns(compute) == threading.get_ident()


async def test_the_loop_goes_on_while_something_long_is_computed() -> None:
    seen = threading.Event()

    def compute() -> str:
        # Ends only when the loop has had a turn.
        while not seen.is_set():
            spend(1000)
        return "done"

    waiting = asyncio.create_task(in_turns(compute))
    await asyncio.sleep(0)
    seen.set()
    assert await waiting == "done"


async def test_what_belongs_to_the_loop_is_called_there() -> None:
    def compute() -> tuple[int, int]:
        spend(1_000_000)
        return threading.get_ident(), on_loop(threading.get_ident)

    here, there = threading.get_ident(), await in_turns(compute)
    assert there[0] != here
    assert there[1] == here


@pytest.mark.parametrize("problem", [LookupError, TimeoutError])
async def test_a_problem_there_is_the_problem_here(problem: type[Exception]) -> None:
    def refuse() -> None:
        raise problem("nobody")

    def compute() -> None:
        spend(1_000_000)
        on_loop(refuse)

    with pytest.raises(problem, match="nobody"):
        await in_turns(compute)


async def test_what_nobody_waits_for_ends() -> None:
    began = asyncio.Event()
    loop = asyncio.get_running_loop()
    ended = threading.Event()

    def compute() -> None:
        spend(20_000)
        loop.call_soon_threadsafe(began.set)
        try:
            while True:
                spend(1000)
        finally:
            ended.set()

    waiting = asyncio.create_task(in_turns(compute))
    await began.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.to_thread(ended.wait)


def test_a_simulation_has_one_thread() -> None:
    def compute() -> int:
        spend(1_000_000)
        return threading.get_ident()

    assert run_virtual(in_turns(compute)) == threading.get_ident()


@pytest.mark.parametrize("count", [3, 300])
async def test_rules_say_the_same_wherever_they_are_evaluated(count: int) -> None:
    rule = "self.names.all(a, self.names.exists_one(b, a == b))"
    schema = {
        "type": "object",
        "properties": {"names": {"type": "array", "items": {"type": "string"}}},
        "x-kubernetes-validations": [{"rule": rule, "message": "twice"}],
    }
    rules = schema_rules(schema)
    assert rules is not None
    names = [f"n{number}" for number in range(count)]
    for document in ({"names": names}, {"names": [*names, names[0]]}):
        direct = expression_errors(rules, document, None)
        assert await in_turns(lambda document=document: expression_errors(rules, document, None)) == direct  # type: ignore[misc]
        assert [error.detail for error in direct] == (["twice"] if len(document["names"]) > count else [])
