"""Who hears of a change: watches that want the same of one collection are one audience, served once for all of them.

A collection hands in what a commit brought; each audience that it concerns gets it as one chunk, encoded once, which
all its watchers share. Audiences are found by what their selection asks for, so that the watches of a thousand
kubelets, each for its own node, cost a change only the one or two that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Protocol

from pybernetes.apiserver.collection import Change, Collection
from pybernetes.apiserver.diagnostics.series import EventCounts
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.rendering import Rendering
from pybernetes.apiserver.selection import Selection

# What an audience is found by: ("", "") hears of everything, else a namespace, or a field and the value it must have.
_Door = tuple[str, str]
_WIDE: _Door = ("", "")
_NAMESPACE = "metadata.namespace"


class Receiver(Protocol):
    """One watch."""

    def receive(self, chunk: bytes) -> None: ...

    def finish(self) -> None:
        """There will be nothing more to hear."""


class Audience:
    """The watches of one selection in one rendering."""

    def __init__(self, selection: Selection, rendering: Rendering) -> None:
        self.selection = selection
        self.rendering = rendering
        self.members: dict[Receiver, None] = {}
        self._first = True

    def events(self, changes: Iterable[Change]) -> Iterator[bytes]:
        """The events that the selection sees of some changes, each made only when it is asked for."""
        found = (transition(change, self.selection) for change in changes)
        return (self.event(type_, entry) for type_, entry in filter(None, found))

    def event(self, type_: str, entry: Entry) -> bytes:
        """One event; the first one of all may have to say more than the others."""
        framed = self.rendering.event(type_, entry, self._first)
        self._first = False
        return framed


class FanOut:
    """The audiences of one collection."""

    def __init__(self, collection: Collection, counts: EventCounts) -> None:
        self._collection = collection
        self.counts = counts
        self._audiences: dict[Hashable, Audience] = {}
        self._doors: dict[_Door, dict[Audience, None]] = {}
        # Fields by which at least one audience is found.
        self._fields: dict[str, int] = {}
        self._stop: Callable[[], None] | None = None

    def audience(self, selection: Selection, rendering: Rendering) -> Audience:
        """The audience to join: one of its own where the rendering cannot be shared."""
        found = self._audiences.get((selection, rendering.shared)) if rendering.shared is not None else None
        return found or Audience(selection, rendering)

    def join(self, audience: Audience, receiver: Receiver) -> Callable[[], None]:
        """Tells the receiver of every change from now on, until the returned function is called."""
        if not audience.members:
            self._open(audience)
        audience.members[receiver] = None

        def leave() -> None:
            if audience.members.pop(receiver, self) is None and not audience.members:
                self._close(audience)

        return leave

    def end(self) -> None:
        """Tells all watches that it is over."""
        for audience in list(self._audiences.values()):
            for member in list(audience.members):
                member.finish()

    def _open(self, audience: Audience) -> None:
        door = _door(audience.selection)
        self._doors.setdefault(door, {})[audience] = None
        self._audiences[_key(audience)] = audience
        if door[0] not in ("", _NAMESPACE):
            self._fields[door[0]] = self._fields.get(door[0], 0) + 1
        if self._stop is None:
            self._stop = self._collection.listen(self._receive)

    def _close(self, audience: Audience) -> None:
        door = _door(audience.selection)
        behind = self._doors[door]
        del behind[audience], self._audiences[_key(audience)]
        if not behind:
            del self._doors[door]
        if door[0] in self._fields:
            self._fields[door[0]] -= 1
            if not self._fields[door[0]]:
                del self._fields[door[0]]
        if not self._audiences and self._stop is not None:
            self._stop()
            self._stop = None

    def _receive(self, changes: Sequence[Change]) -> None:
        heard: dict[Audience, list[Change]] = {}
        for change in changes:
            for door in self._doors_of(change):
                for audience in self._doors.get(door, ()):
                    heard.setdefault(audience, []).append(change)
        for audience, part in heard.items():
            events = list(audience.events(part))
            chunk = b"".join(events)
            if chunk:
                self.counts.sent(len(events), len(chunk), len(audience.members))
                for member in audience.members:
                    member.receive(chunk)

    def _doors_of(self, change: Change) -> Iterable[_Door]:
        """Every door behind which the change may matter, each once: of what the object was and of what it is."""
        states = [entry for entry in (change.old, change.new) if entry is not None]
        doors = {_WIDE: None, (_NAMESPACE, states[0].namespace): None}
        for field in self._fields:
            doors.update({(field, entry.fields.get(field, "")): None for entry in states})
        return doors


def _key(audience: Audience) -> Hashable:
    shared = audience.rendering.shared
    return (audience.selection, shared) if shared is not None else audience


def _door(selection: Selection) -> _Door:
    """The narrowest place that every change of interest passes."""
    for requirement in selection.fields.requirements if selection.fields is not None else ():
        if requirement.equal:
            return requirement.field, requirement.value
    return (_NAMESPACE, selection.namespace) if selection.namespace is not None else _WIDE


def transition(change: Change, selection: Selection) -> tuple[str, Entry] | None:
    """The event that a selection sees of a change; None when it is none of its business. Pure."""
    now = change.new is not None and selection.matches(change.new)
    if not selection.by_content:
        if change.new is None:
            return ("DELETED", change.old) if change.old is not None and selection.matches(change.old) else None
        return ("ADDED" if change.old is None else "MODIFIED", change.new) if now else None
    before = change.old is not None and selection.matches(change.old)
    if now and change.new is not None:
        return ("MODIFIED" if before else "ADDED", change.new)
    if before and change.old is not None:
        return ("DELETED", change.old if change.new is None else change.old.at(change.new.revision))
    return None
