"""Long answers that nobody reads have a limit together."""

from __future__ import annotations

from pybernetes.apiserver.sockets.unsent_bodies import UnsentBodies


def test_there_is_room_again_when_one_has_been_written() -> None:
    bodies = UnsentBodies(bytes_max=10)
    first, second = b"first.", b"second"
    assert bodies.begin(first)
    assert not bodies.begin(second)
    bodies.end(first)
    assert bodies.begin(second)


def test_what_several_read_is_held_once() -> None:
    bodies, body = UnsentBodies(bytes_max=10), b"a body."
    assert all(bodies.begin(body) for _ in range(5))
    for _ in range(4):
        bodies.end(body)
    assert not bodies.begin(b"another")
    bodies.end(body)
    assert bodies.begin(b"another")


def test_a_body_larger_than_all_room_is_written_alone() -> None:
    assert UnsentBodies(bytes_max=10).begin(b"x" * 100)
