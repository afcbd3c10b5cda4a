"""Keys of work queues: `namespace/name`, or only `name` for what has no namespace."""

from __future__ import annotations

from pybernetes.api.objects import ApiObject


def key_of(obj: ApiObject) -> str:
    """The key of an object."""
    namespace, name = obj.metadata.namespace, obj.metadata.name or ""
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str, str]:
    """(namespace, name) of a key; the namespace is empty for what has none."""
    namespace, _, name = key.rpartition("/")
    return namespace, name
