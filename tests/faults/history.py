"""What clients saw, and whether it can be true: the checker of the fault tests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Change(NamedTuple):
    """One change of an object, as an answer or a watch event tells it.

    `value` is what was written, each time something else; parts with writers of their own stand with a `|` in between.
    """

    revision: int
    name: str
    value: str
    deleted: bool = False


class Listed(NamedTuple):
    """A list, from however many pages; `reached` is the newest revision that anybody knew of when it was asked for."""

    revision: int
    reached: int
    objects: dict[str, Change]


@dataclass
class History:
    """What the clients of one run recorded."""

    # Writes that were answered with success.
    acknowledged: list[Change] = field(default_factory=list)
    # Values that were sent, answered or not.
    attempted: set[str] = field(default_factory=set)
    # What each watch saw, in order, over all its reconnects, and the revision that it began after.
    watched: list[tuple[int, list[Change]]] = field(default_factory=list)
    # Names whose deletion was answered with success, and a revision before it.
    deleted: list[tuple[str, int]] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)


def problems(history: History, final: dict[str, Change]) -> list[str]:
    """Everything that contradicts the promises; `final` is the state at the end by name."""
    found: list[str] = []
    for number, (since, seen) in enumerate(history.watched):
        found += [f"watch {number}: {text}" for text in _sequence_problems(seen)]
        found += [f"watch {number}: {text}" for text in _lost(history.acknowledged, since, seen)]
        written = history.attempted
        found += [f"watch {number}: {c} was never written" for c in seen if not written.issuperset(c.value.split("|"))]
    found += _answer_problems(history.acknowledged)
    found += _lost_deletions(history)
    found += _list_problems(history)
    found += _disagreements([seen for _, seen in history.watched])
    found += _final_problems(history, final)
    return found


def _sequence_problems(seen: Sequence[Change]) -> Iterable[str]:
    for before, after in zip(seen, seen[1:], strict=False):
        if after.revision <= before.revision:
            yield f"{after} came after {before}"


def _lost(acknowledged: Sequence[Change], since: int, seen: Sequence[Change]) -> Iterable[str]:
    told = {change.revision: change for change in seen}
    for change in acknowledged:
        if change.revision > since and told.get(change.revision) != change:
            yield f"{change} was acknowledged, but {told.get(change.revision)} was seen"


def _answer_problems(acknowledged: Sequence[Change]) -> Iterable[str]:
    """No revision is given twice, and those of one object, which has one writer at a time, rise."""
    by_revision: dict[int, Change] = {}
    newest: dict[str, Change] = {}
    for change in acknowledged:
        if by_revision.setdefault(change.revision, change) != change:
            yield f"{change} and {by_revision[change.revision]} have one revision"
        before = newest.get(change.name)
        if before is not None and change.revision < before.revision:
            yield f"{change} was acknowledged after {before}"
        newest[change.name] = change


def _lost_deletions(history: History) -> Iterable[str]:
    told: dict[str, int] = {}
    for change in history.watched[0][1]:
        if change.deleted:
            told[change.name] = change.revision
    for name, since in history.deleted:
        if told.get(name, 0) <= since:
            yield f"the deletion of {name} after {since} was acknowledged, but not seen"


def _list_problems(history: History) -> Iterable[str]:
    """A list is what the events up to its revision add up to, and not older than what was known before."""
    state: dict[str, Change] = {}
    events = iter(history.watched[0][1])
    event = next(events, None)
    for listed in sorted(history.lists, key=lambda listed: listed.revision):
        while event is not None and event.revision <= listed.revision:
            _apply(state, event)
            event = next(events, None)
        if listed.objects != state:
            wrong = sorted(set(listed.objects.items()) ^ set(state.items()))
            yield f"the list of {listed.revision} is not what the events add up to: {wrong}"
        if listed.revision < listed.reached:
            yield f"the list of {listed.revision} is older than {listed.reached}, which was known"


def _apply(state: dict[str, Change], change: Change) -> None:
    if change.deleted:
        state.pop(change.name, None)
    else:
        state[change.name] = change


def _disagreements(watches: Sequence[Sequence[Change]]) -> Iterable[str]:
    """Two watches may begin and end elsewhere, but tell the same in between."""
    first = {change.revision: change for change in watches[0]}
    for other in watches[1:]:
        low, high = max(watches[0][0].revision, other[0].revision), min(watches[0][-1].revision, other[-1].revision)
        for revision in {c.revision for c in (*watches[0], *other) if low <= c.revision <= high}:
            told = next((c for c in other if c.revision == revision), None)
            if first.get(revision) != told:
                yield f"two watches disagree: {first.get(revision)} and {told}"


def _final_problems(history: History, final: dict[str, Change]) -> Iterable[str]:
    """The state is what the longest watch adds up to, and no acknowledged change came after it."""
    state: dict[str, Change] = {}
    for change in history.watched[0][1]:
        _apply(state, change)
    if state != final:
        yield f"the events add up to {sorted(state.values())}, the state is {sorted(final.values())}"
    newest = {change.name: change for change in sorted(history.acknowledged)}
    for name, change in newest.items():
        held = final.get(name)
        if held is None and not change.deleted and not _deleted_after(history, change):
            yield f"{change} was acknowledged and is gone"
        if held is not None and held.revision < change.revision:
            yield f"{change} was acknowledged, the state is {held}"


def _deleted_after(history: History, change: Change) -> bool:
    return any(c.deleted and c.name == change.name and c.revision > change.revision for c in history.watched[0][1])
