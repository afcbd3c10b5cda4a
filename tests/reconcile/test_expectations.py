"""When a controller may believe its cache."""

from pybernetes.reconcile import Expectations


def test_creations_are_counted() -> None:
    expected = Expectations()
    assert expected.satisfied("rs", now=0)
    expected.expect_creations("rs", 2, now=0)
    expected.creation_observed("rs")
    assert not expected.satisfied("rs", now=0)
    expected.creation_observed("rs")
    expected.creation_observed("rs")
    assert expected.satisfied("rs", now=0)


def test_one_deletion_may_be_told_often() -> None:
    expected = Expectations()
    expected.expect_deletions("rs", ["u1", "u2"], now=0)
    expected.deletion_observed("rs", "u1")
    expected.deletion_observed("rs", "u1")
    assert not expected.satisfied("rs", now=0)
    expected.deletion_observed("rs", "u2")
    assert expected.satisfied("rs", now=0)


def test_patience_ends() -> None:
    expected = Expectations()
    expected.expect_creations("rs", 1, now=0)
    assert not expected.satisfied("rs", now=300)
    assert expected.satisfied("rs", now=301)
    expected.expect_creations("rs", 1, now=301)
    expected.creation_observed("rs")
    assert expected.satisfied("rs", now=301)


def test_a_new_owner_expects_nothing() -> None:
    expected = Expectations()
    expected.expect_creations("rs", 1, now=0)
    expected.forget("rs")
    assert expected.satisfied("rs", now=0)
