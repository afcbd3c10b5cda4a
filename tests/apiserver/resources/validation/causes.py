"""What the rules of a kind say of a document, as one line per complaint: `field: text`."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import yaml

from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import copy as copied
from pybernetes.api.objects import from_builtins
from pybernetes.apiserver.resources.strategies import strategy_of

Document = dict[str, Any]


def merged(document: Any, patch: Any) -> Any:
    """The document with the patch in it: maps are merged, null removes, all else replaces."""
    if not isinstance(patch, dict) or not isinstance(document, dict):
        return copy.deepcopy(patch)
    result = {key: copy.deepcopy(value) for key, value in document.items()}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _read(document: Document | str) -> Any:
    plain = yaml.safe_load(document) if isinstance(document, str) else document
    kind = find_kind(plain["apiVersion"], plain["kind"])
    assert kind is not None
    metadata = {"name": "x", "uid": "u", **({"namespace": "ns"} if kind.namespaced else {})}
    obj = from_builtins(merged({"metadata": metadata}, plain), kind.type)
    return kind, obj


def made(document: Document) -> Any:
    """The object as the server would store it."""
    kind, obj = _read(document)
    strategy = strategy_of(kind)
    strategy.default(obj)
    strategy.prepare_create(obj)
    return obj


def on_create(document: Document) -> list[str]:
    kind, obj = _read(document)
    strategy = strategy_of(kind)
    strategy.default(obj)
    strategy.prepare_create(obj)
    return lines(strategy.validate_create(obj))


def on_update(old: Document, new: Document) -> list[str]:
    """What is said of a PUT of `new` over the stored `old`, which has got the status that `old` tells."""
    kind, after = _read(new)
    strategy = strategy_of(kind)
    before = made(old)
    if isinstance(old, dict) and "status" in old:
        before.status = _read(old)[1].status
    strategy.default(after)
    strategy.prepare_update(after, before)
    return lines(strategy.validate_update(after, before))


def on_status(document: Document, old: Document, new: Document) -> list[str]:
    """What is said of a write of the status `new` over the status `old`."""
    kind, before = _read(merged(document, {"status": old}))
    _, after = _read(merged(document, {"status": new}))
    strategy = strategy_of(kind)
    strategy.default(before)
    strategy.default(after)
    strategy.prepare_status(after, copied(before))
    return lines(strategy.validate_status(after, before))


def lines(errors: Iterable[Any]) -> list[str]:
    """One line of each complaint, those that are said twice once."""
    # What may follow the first line shows the difference.
    return list(dict.fromkeys(str(error).partition("\n")[0] for error in errors))
