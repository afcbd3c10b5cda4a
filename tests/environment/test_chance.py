"""Names and ids as they are drawn."""

from __future__ import annotations

import os
import uuid

import pytest

from pybernetes.environment.chance import Chance


@pytest.mark.parametrize("seed", [None, 7])
def test_ids_are_random_uuids(seed: int | None) -> None:
    chance = Chance(seed)
    ids = {chance.uid() for _ in range(2000)}
    assert len(ids) == 2000
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids} == {(4, uuid.RFC_4122)}
    assert all(str(uuid.UUID(each)) == each for each in ids)


def test_same_seed_draws_the_same() -> None:
    first, second = Chance(3), Chance(3)
    assert [first.uid(), first.suffix(), first.uniform(0, 1)] == [second.uid(), second.suffix(), second.uniform(0, 1)]


def test_suffixes_use_all_letters_and_no_others() -> None:
    drawn = "".join(Chance().suffix() for _ in range(2000))
    assert len(drawn) == 10_000
    assert set(drawn) == set("bcdfghjklmnpqrstvwxz2456789")


def test_a_forked_process_draws_something_else() -> None:
    chance = Chance()
    chance.uid()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, chance.uid().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100).decode() != chance.uid()
    os.close(reader)
    os.close(writer)
