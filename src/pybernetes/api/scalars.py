"""Brings the times and quantities of a freshly decoded object into the form that the API server stores.

Flow: an object just decoded (private to the caller) goes in and is changed in place; ValueError with Go's text comes
out when one of them is malformed. One visitor per type is built at first use and looks only where such fields are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pybernetes.api import quantity, schema, time, tolerance

Replace = Callable[[Any], Any]
Visit = Callable[[Any], None]

_REPLACERS: dict[str, Replace] = {
    # Empty is Go's zero time: what a required time holds when it was absent.
    "time": lambda text: time.normalized(text) if text else text,
    "micro_time": lambda text: time.normalized(text, micro=True) if text else text,
}


def _quantity(given: quantity.QuantityLike) -> str:
    """The text as given but for blanks around it, once it is known to be a quantity."""
    text = given.strip() if isinstance(given, str) else repr(given)
    quantity.amount(text)
    return text


_REPLACERS["quantity"] = _quantity


def _replacer(node: schema.Node) -> Replace | None:
    # What may be a JSON schema is read as plain values, so nobody has looked at its types yet.
    return tolerance.schemas if node.definition in schema.SCHEMA_UNIONS else _REPLACERS.get(node.type)


def normalize(obj: Any) -> None:
    """Normalizes `obj` in place; types without a schema are left alone."""
    visit = visitor(type(obj))
    if visit is not None:
        visit(obj)


_VISITORS: dict[type, Visit | None] = {}


def visitor(type_: type) -> Visit | None:
    """What walks over objects of `type_`; None when they hold neither times nor quantities."""
    if type_ not in _VISITORS:
        try:
            definition = schema.definition_of(type_)
        except KeyError:
            definition = ""
        _VISITORS[type_] = _StructVisitor(definition) if _holds_scalars(definition, set()) else None
    return _VISITORS[type_]


def _holds_scalars(definition: str, seen: set[str]) -> bool:
    """Whether a time or quantity can be reached; a type inside itself counts once."""
    if not definition or definition in seen:
        return False
    seen.add(definition)
    return any(_node_holds(node, seen) for node in schema.fields(definition).values())


def _node_holds(node: schema.Node, seen: set[str]) -> bool:
    if node.item is not None:
        return _node_holds(node.item, seen)
    return _replacer(node) is not None or (node.type == "struct" and _holds_scalars(node.definition, set(seen)))


class _StructVisitor:
    """Visits the fields of one struct type; its plan is made when the first object comes by."""

    def __init__(self, definition: str) -> None:
        self.definition = definition
        self.plan: list[tuple[str, Replace | None, Visit | None]] | None = None

    def __call__(self, obj: Any) -> None:
        if self.plan is None:
            self.plan = self.planned(type(obj))
        for attribute, replace, visit in self.plan:
            value = getattr(obj, attribute)
            # An empty time is an absent one, an empty quantity is a wrong one.
            if value is None or (not value and replace is not _quantity):
                continue
            if replace is not None:
                setattr(obj, attribute, replace(value))
            elif visit is not None:
                visit(value)

    def planned(self, type_: Any) -> list[tuple[str, Replace | None, Visit | None]]:
        nodes = schema.fields(self.definition)
        plan: list[tuple[str, Replace | None, Visit | None]] = []
        for attribute, wire in zip(type_.__struct_fields__, type_.__struct_encode_fields__, strict=True):
            node = nodes.get(wire)
            if node is None or not _node_holds(node, set()):
                continue
            plan.append((attribute, _replacer(node), _container_visit(node)))
        return plan


_BY_DEFINITION: dict[str, _StructVisitor] = {}


def _container_visit(node: schema.Node) -> Visit | None:
    if node.type == "struct":
        return _BY_DEFINITION.setdefault(node.definition, _StructVisitor(node.definition))
    if node.item is None:
        return None
    if node.item.type == "quantity" and node.type == "map":
        return _visit_resource_list
    replace = _replacer(node.item)
    inner = _container_visit(node.item)
    walk = _visit_list if node.type == "list" else _visit_map
    return partial(walk, replace, inner)


def _visit_resource_list(resources: dict[str, Any]) -> None:
    """Upstream's defaulting rounds every resource list up to thousandths, and so makes it canonical."""
    for name, given in resources.items():
        resources[name] = quantity.rounded_to_milli(given.strip() if isinstance(given, str) else given)


def _visit_list(replace: Replace | None, inner: Visit | None, items: list[Any]) -> None:
    for index, item in enumerate(items):
        if replace is not None:
            items[index] = replace(item)
        elif inner is not None:
            inner(item)


def _visit_map(replace: Replace | None, inner: Visit | None, items: dict[str, Any]) -> None:
    for key, item in items.items():
        if replace is not None:
            items[key] = replace(item)
        elif inner is not None:
            inner(item)
