"""The committed view: every live key in bytewise order, and which bucket a key or a prefix belongs to.

The embedded store applies committed events to it; reads are answered from it. Keys such as `/registry/pods/default/web`
are kept in one sorted list per bucket (`/registry/pods/`), so that inserting moves little memory.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from pybernetes.store.contract import KeyValue
from pybernetes.store.order import Order

_AFTER_ALL = chr(0x10FFFF) + chr(0x10FFFF)


def bucket_of(key: str) -> str:
    """The key up to its second slash (not counting a leading one), or all of it when it has none.

    Sorting by bucket and then by key is sorting by key, since no complete bucket begins another bucket's name.
    """
    end = _bucket_end(key)
    return key[:end] if end else key


def is_in_one_bucket(prefix: str) -> bool:
    """Whether all keys that begin with `prefix` are in `bucket_of(prefix)`."""
    return _bucket_end(prefix) > 0


def _bucket_end(key: str) -> int:
    first = key.find("/", 1)
    return key.find("/", first + 1) + 1 if first > 0 else 0


def _after(prefix: str) -> str:
    """A text that sorts after every key that begins with `prefix` and before or with every later one."""
    head = prefix.rstrip(chr(0x10FFFF))
    return head[:-1] + chr(ord(head[-1]) + 1) if head else _AFTER_ALL


class Keyspace:
    """Live keys and their states. Texts sort by code point here, which is the order of their UTF-8 bytes."""

    def __init__(self) -> None:
        self._items: dict[str, KeyValue] = {}
        self._buckets: dict[str, Order] = {}
        self._bucket_names: list[str] = []
        self.get = self._items.get

    def put(self, item: KeyValue) -> None:
        if item.key not in self._items:
            self._insert(item.key)
        self._items[item.key] = item

    def remove(self, key: str) -> None:
        """Takes out a key that is there."""
        del self._items[key]
        name = bucket_of(key)
        keys = self._buckets[name]
        keys.remove(key)
        if not keys:
            del self._buckets[name]
            del self._bucket_names[bisect_left(self._bucket_names, name)]

    def select(self, prefix: str, start: str, limit: int) -> tuple[list[KeyValue], int]:
        """The states of the keys under `prefix` from `start` on, at most `limit` (0: all), and how many were left."""
        low, high = max(prefix, start), _after(prefix)
        selected: list[KeyValue] = []
        remaining = 0
        for keys in self._buckets_under(prefix):
            first, last = bisect_left(keys, low), bisect_left(keys, high)
            count = max(last - first, 0)
            wanted = min(count, limit - len(selected)) if limit else count
            selected += map(self._items.__getitem__, keys[first : first + wanted])
            remaining += count - wanted
        return selected, remaining

    def _insert(self, key: str) -> None:
        name = bucket_of(key)
        keys = self._buckets.get(name)
        if keys is None:
            self._buckets[name] = Order(key)
            insort(self._bucket_names, name)
        else:
            keys.add(key)

    def _buckets_under(self, prefix: str) -> Iterator[list[str]]:
        if is_in_one_bucket(prefix):
            keys = self._buckets.get(bucket_of(prefix))
            if keys is not None:
                yield keys.texts
            return
        names = self._bucket_names
        for name in names[bisect_left(names, prefix) : bisect_left(names, _after(prefix))]:
            yield self._buckets[name].texts
