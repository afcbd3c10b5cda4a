"""Finding what a label map selects without looking at everything in the namespace: an index of each label's value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pybernetes.api.objects import Object
from pybernetes.reconcile import Informer

_BY_LABEL = "label"


def index_by_label(informer: Informer[Object]) -> None:
    """Adds the index that `selected` reads; may be called by any number of controllers."""
    informer.add_index(_BY_LABEL, _labels)


def _labels(obj: Object) -> Iterable[str]:
    namespace = obj.metadata.namespace or ""
    return [_entry(namespace, key, value) for key, value in obj.metadata.labels.items()]


def _entry(namespace: str, key: str, value: str) -> str:
    return f"{namespace}/{key}={value}"


def selected(informer: Informer[Object], namespace: str, wanted: Mapping[str, str]) -> list[Object]:
    """The objects of the namespace that carry all these labels; none for an empty selection."""
    smallest: list[Object] | None = None
    for key, value in wanted.items():
        found = informer.cache.by_index(_BY_LABEL, _entry(namespace, key, value))
        if smallest is None or len(found) < len(smallest):
            smallest = found
    return [obj for obj in smallest or () if wanted.items() <= obj.metadata.labels.items()]
