from __future__ import annotations

from pybernetes.api.recent import Recent


def test_what_came_first_goes_first() -> None:
    recent: Recent[str] = Recent(30)
    for key in ("a", "b", "c"):
        assert recent.keep(key, b"x" * 9, 1) == b"x" * 9
    assert recent.get("a") == b"x" * 9
    recent.keep("d", b"y", 1)
    assert recent.get("a") is None
    assert [recent.get(key) for key in "bcd"] == [b"x" * 9, b"x" * 9, b"y"]


def test_what_is_too_large_is_given_back_and_not_kept() -> None:
    recent: Recent[str] = Recent(30)
    assert recent.keep("a", b"x" * 31, 0) == b"x" * 31
    assert recent.get("a") is None
