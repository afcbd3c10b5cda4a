"""Keys of work queues: `namespace/name`, or only `name` for what has no namespace."""

from __future__ import annotations

from pybernetes.api.objects import key as key_of

__all__ = ["key_of", "split_key"]


def split_key(key: str) -> tuple[str, str]:
    """(namespace, name) of a key; the namespace is empty for what has none."""
    namespace, _, name = key.rpartition("/")
    return namespace, name
