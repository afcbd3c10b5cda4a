"""Bodies of lists that are kept: which questions have one answer per revision; none outlives its revision."""

from __future__ import annotations

import pytest

from pybernetes.api.kinds import kind_of
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.wire import Request
from pybernetes.apiserver.known_lists import KnownLists, question_of
from pybernetes.apiserver.negotiation import Accepted

PODS = kind_of(Pod)


def asked(*query: tuple[str, str]) -> Request:
    return Request("GET", "/api/v1/pods", query)


def test_only_what_is_asked_twice_is_kept() -> None:
    known = KnownLists()
    known.note("a", 1, b"body")
    assert known.body("a", 1) is None
    known.note("a", 1, b"body")
    assert known.body("a", 1) == b"body"


def test_a_new_revision_forgets_all() -> None:
    known = KnownLists()
    for _ in range(2):
        known.note("a", 1, b"body")
    assert known.body("a", 2) is None
    known.note("a", 2, b"other")
    assert known.body("a", 2) is None and known.body("a", 1) is None


def test_what_is_kept_is_bounded() -> None:
    known = KnownLists()
    for question in range(40):
        for _ in range(2):
            known.note(question, 1, b"x" * 1_000_000)
    assert 0 < sum(known.body(question, 1) is not None for question in range(40)) < 20


def test_pages_of_the_present_have_one_answer() -> None:
    assert question_of(asked(("limit", "5")), PODS, Accepted()) == question_of(asked(("limit", "5")), PODS, Accepted())
    assert question_of(asked(("limit", "5")), PODS, Accepted()) != question_of(asked(), PODS, Accepted())
    assert question_of(asked(("resourceVersion", "0")), PODS, Accepted()) is not None


@pytest.mark.parametrize("query", [("continue", "x"), ("resourceVersion", "7"), ("labelSelector", "x" * 2000)])
def test_the_past_and_long_questions_are_worked_out_again(query: tuple[str, str]) -> None:
    assert question_of(asked(query), PODS, Accepted()) is None


@pytest.mark.parametrize("accepted", [Accepted(form="table"), Accepted(media="yaml"), Accepted(pretty=True)])
def test_forms_for_people_are_written_anew(accepted: Accepted) -> None:
    assert question_of(asked(), PODS, accepted) is None
