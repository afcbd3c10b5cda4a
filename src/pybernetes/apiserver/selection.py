"""Which entries a list, watch or deletecollection is about: namespace, name, label and field selectors. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pybernetes.api import fields as field_selectors
from pybernetes.api import labels as label_selectors
from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.status import bad_request
from pybernetes.api.wire import Request
from pybernetes.apiserver.conversion import storage_kind
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.request import RequestInfo
from pybernetes.apiserver.resources.strategies import strategy_of

_EVERY_KIND = frozenset({"metadata.name", "metadata.namespace"})
# Label names that upstream's events.k8s.io/v1 selects fields by -> those of the stored kind.
_REFUSALS = {
    "Job": 'field label "{}" not supported for Job',
    "ResourceSlice": "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}",
}
_EVENT_FIELDS = {"regarding": "involvedObject", "reportingController": "reportingComponent"}


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter over entries; `namespace` None means all namespaces, `name` "" any name."""

    namespace: str | None
    name: str = ""
    labels: label_selectors.Selector | None = None
    fields: field_selectors.Selector | None = None

    @property
    def by_content(self) -> bool:
        """Whether an entry can enter or leave the selection by being changed."""
        return self.labels is not None or self.fields is not None

    @property
    def by_node(self) -> bool:
        """Whether it is about the pods of one node, by which upstream's cache finds them."""
        return self.fields is not None and bool(self.fields.required_value("spec.nodeName"))

    def matches(self, entry: Entry) -> bool:
        if self.namespace is not None and entry.namespace != self.namespace:
            return False
        if self.name and entry.name != self.name:
            return False
        if self.labels is not None and not self.labels.matches(entry.labels):
            return False
        return self.fields is None or self.fields.matches(entry.fields)


def selection_of(request: Request, info: RequestInfo) -> Selection:
    """The selection that a request's path and query name; 400 for selectors that do not parse or fit the kind."""
    assert info.kind is not None
    namespace = info.namespace if info.kind.namespaced and info.namespace else None
    labels = _labels(request.parameter("labelSelector"))
    text = request.parameter("fieldSelector")
    fields, name = _fields(text, info.kind)
    if info.name and text and name != info.name:
        raise bad_request("fieldSelector metadata.name doesn't match requested name")
    return Selection(namespace, info.name or name, labels, fields)


def _labels(text: str) -> label_selectors.Selector | None:
    if not text:
        return None
    try:
        return label_selectors.parse_selector(text)
    except ValueError as error:
        raise bad_request(str(error)) from error


def _fields(text: str, kind: Kind) -> tuple[field_selectors.Selector | None, str]:
    """The selector, and the one name that it asks for, which finds the entry without a search."""
    if not text:
        return None, ""
    try:
        selector = field_selectors.parse_selector(text)
    except ValueError as error:
        raise bad_request(str(error)) from error
    # Every version of a custom resource has fields of its own; nothing is renamed.
    stored = kind if issubclass(kind.type, CustomObject) else storage_kind(kind)
    if stored is not kind:
        for field in selector.field_names:
            if field.partition(".")[0] in _EVENT_FIELDS.values():
                raise bad_request(f"field label not supported: {field}")
        selector = selector.renamed(_stored_field)
    _refuse_unknown(selector, stored)
    name = selector.required_value("metadata.name")
    return (None if len(selector.requirements) == 1 and name else selector), name or ""


def _refuse_unknown(selector: field_selectors.Selector, kind: Kind) -> None:
    own = strategy_of(kind).field_names
    for field in selector.field_names:
        if field in _EVERY_KIND or field in own:
            continue
        if own or issubclass(kind.type, CustomObject):
            raise bad_request(_REFUSALS.get(kind.name, "field label not supported: {}").format(field))
        raise bad_request(f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"')


def _stored_field(field: str) -> str:
    head, _, rest = field.partition(".")
    return _EVENT_FIELDS.get(head, head) + (f".{rest}" if rest else "")
