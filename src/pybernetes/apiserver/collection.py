"""All objects of one resource in memory, and the watchers that hear of their changes.

A collection is fed by the store's watch and by nothing else, so that reads, lists and watches agree: what a commit
brought is applied as one batch and then handed to the watchers as one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from pybernetes.api.kind import Kind
from pybernetes.api.labels import Selector
from pybernetes.api.objects import ApiObject
from pybernetes.apiserver.entry import Common, Entry, Form
from pybernetes.apiserver.label_index import LabelIndex
from pybernetes.store.contract import Event, KeyValue, Store
from pybernetes.store.order import Order

# A collection of fewer objects is searched as fast as an index of it.
_INDEXED_MIN = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One event: `new` is None when the object is gone; `revision` is the event's own."""

    revision: int
    old: Entry | None
    new: Entry | None


Listener = Callable[[Sequence[Change]], None]


class Part:
    """What may be seen to change by itself: a namespace of a collection, or one object of a kind that has none."""

    __slots__ = ("__weakref__", "generation")

    def __init__(self) -> None:
        self.generation = 0


class Collection:
    """The objects of one kind by namespace and name, in key order."""

    def __init__(self, kind: Kind, store: Store) -> None:
        self.kind = kind
        self.form = Form(kind)
        self.prefix = f"/registry/{kind.group_resource}/"
        self._store = store
        self._namespaces: dict[str, dict[str, Entry]] = {}
        self._order: dict[str, Order] = {}
        self._listeners: dict[Listener, None] = {}
        self._ends: list[Callable[[], None]] = []
        # By key and the identity of the value, whose bytes the store hands back as they are: to hash them takes longer.
        self._written: dict[tuple[str, int], ApiObject | Common] = {}
        self._labels: LabelIndex | None = None
        # Grows whenever something may look different from before; that of a part only with what is in it.
        self.generation = 0
        # Names come from strangers: a part lasts while somebody looks at it.
        self._parts: WeakValueDictionary[str, Part] = WeakValueDictionary()
        for item in store.range(self.prefix).items:
            self._place(Entry(self.form, item))
        self._watch = store.watch(self.prefix, store.revision, self._receive)

    def key(self, namespace: str, name: str) -> str:
        """The store's key of an object."""
        return f"{self.prefix}{namespace}/{name}" if self.kind.namespaced else self.prefix + name

    def get(self, namespace: str, name: str) -> Entry | None:
        return self._namespaces.get(namespace if self.kind.namespaced else "", {}).get(name)

    def entries(self, namespace: str | None = None) -> Iterator[Entry]:
        """Entries in key order: all, or one namespace's."""
        for space in sorted(self._namespaces) if namespace is None else [namespace]:
            objects = self._namespaces.get(space, {})
            for name in self._order[space].texts if objects else ():
                yield objects[name]

    def labelled(self, selector: Selector, namespace: str | None = None) -> Iterable[Entry]:
        """All entries that the selector selects, in key order, among others that it does not."""
        if self.count() < _INDEXED_MIN:
            return self.entries(namespace)
        if self._labels is None:
            self._labels = LabelIndex(self.entries())
        found = self._labels.candidates(selector)
        # To sort many costs more than to pass over as many in order.
        if found is None or len(found) > self.count() // 4:
            return self.entries(namespace)
        chosen = [entry for entry in found if namespace is None or entry.namespace == namespace]
        return sorted(chosen, key=lambda entry: (entry.namespace, entry.name))

    def count(self, namespace: str | None = None) -> int:
        if namespace is not None:
            return len(self._namespaces.get(namespace, ()))
        return sum(len(objects) for objects in self._namespaces.values())

    def part(self, name: str) -> Part:
        """The namespace of this name, or the object, where the kind knows no namespaces; there may be nothing in it."""
        part = self._parts.get(name)
        if part is None:
            part = self._parts[name] = Part()
        return part

    def expect(self, key: str, value: bytes, known: ApiObject | Common) -> None:
        """Hands over what is known of what is being written, so that the commit need not parse it again."""
        self._written[key, id(value)] = known

    def forget(self, key: str, value: bytes) -> None:
        """Takes `expect` back after a write that failed."""
        self._written.pop((key, id(value)), None)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every batch from now on, until the returned function is called."""
        self._listeners[listener] = None
        return lambda: self._listeners.pop(listener, None)

    def history(self, since: int) -> list[Change]:
        """The changes after revision `since` up to now; raises `store.errors.Compacted`."""
        changes: list[Change] = []
        watch = self._store.watch(self.prefix, since, lambda events: changes.extend(map(self._change, events)))
        watch.close()
        return changes

    def reform(self, kind: Kind) -> None:
        """Goes on with the same objects under a changed definition."""
        self.kind, self.form = kind, Form(kind)
        self.generation += 1
        for part in self._parts.values():
            part.generation += 1
        for item in self._store.range(self.prefix).items:
            self._place(Entry(self.form, item))

    def on_close(self, end: Callable[[], None]) -> None:
        """Calls `end` when the collection is closed, since its kind is no longer served."""
        self._ends.append(end)

    def close(self) -> None:
        self._watch.close()
        for end in self._ends:
            end()

    def _receive(self, events: Sequence[Event]) -> None:
        self.generation += 1
        changes = []
        for event in events:
            change = self._change(event)
            if change.new is None:
                self._remove(event.item.key)
            else:
                self._place(change.new)
            if self._parts:
                self._age(event.item.key)
            changes.append(change)
        for listener in list(self._listeners):
            listener(changes)

    def _age(self, key: str) -> None:
        *_root, namespace, name = key.split("/")
        part = self._parts.get(namespace if self.kind.namespaced else name)
        if part is not None:
            part.generation += 1

    def _change(self, event: Event) -> Change:
        item = event.item
        if event.type == "DELETE":
            return Change(item.revision, Entry(self.form, item), None)
        known = self._written.pop((item.key, id(item.value)), None)
        old = event.previous
        return Change(item.revision, self.known(old) if old else None, Entry(self.form, item, known))

    def known(self, item: KeyValue) -> Entry:
        """The entry of a former state: the one in memory if it still is that one, so that it is parsed once."""
        *_root, namespace, name = item.key.split("/")
        current = self.get(namespace, name)
        return current if current is not None and current.revision == item.revision else Entry(self.form, item)

    def _place(self, entry: Entry) -> None:
        objects = self._namespaces.setdefault(entry.namespace, {})
        before = objects.get(entry.name)
        if before is None:
            if (order := self._order.get(entry.namespace)) is None:
                order = self._order[entry.namespace] = Order()
            order.add(entry.name)
        objects[entry.name] = entry
        if self._labels is not None:
            if before is not None:
                self._labels.remove(before)
            self._labels.add(entry)

    def _remove(self, key: str) -> None:
        *_root, namespace, name = key.split("/")
        namespace = namespace if self.kind.namespaced else ""
        objects = self._namespaces.get(namespace, {})
        gone = objects.pop(name, None)
        if gone is None:
            return
        if self._labels is not None:
            self._labels.remove(gone)
        self._order[namespace].remove(name)
        if not objects:
            del self._namespaces[namespace], self._order[namespace]
