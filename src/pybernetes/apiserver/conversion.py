"""Two groups or versions of one thing: what is served as one kind may be stored as another.

HorizontalPodAutoscalers are stored as autoscaling/v2, Events as core/v1, custom resources as the version that their
definition names; every other kind is stored as it is served.
Conversion goes through plain values, since the two shapes differ in few fields.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api.encoding import from_value
from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, CustomObject, to_builtins
from pybernetes.api.types import autoscaling_v1, autoscaling_v2, core_v1, events_v1
from pybernetes.apiserver.custom.rules import converted
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver import autoscalers

_STORED_AS: dict[type[ApiObject], type[ApiObject]] = {
    autoscaling_v1.HorizontalPodAutoscaler: autoscaling_v2.HorizontalPodAutoscaler,
    events_v1.Event: core_v1.Event,
}
# events.k8s.io/v1 name -> core/v1 name, where they differ.
_EVENT_FIELDS = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}


def storage_kind(kind: Kind) -> Kind:
    """The row of the kind that objects of this kind are stored as."""
    stored = _STORED_AS.get(kind.type)
    if stored is not None:
        return kind_of(stored)
    if issubclass(kind.type, CustomObject):
        stored_custom: Kind = kind.type.rules.stored
        return stored_custom
    return kind


def kinds_stored_as(kind: Kind) -> tuple[Kind, ...]:
    """The rows of all kinds whose objects are stored as this kind, itself among them: one thing in its versions."""
    if issubclass(kind.type, CustomObject):
        return tuple(kind.type.rules.versions.values())
    return (kind, *(kind_of(served) for served, stored in _STORED_AS.items() if stored is kind.type))


def convert(obj: ApiObject, kind: Kind) -> ApiObject:
    """The object as another kind of the same thing; itself where it is that kind already."""
    if type(obj) is kind.type:
        return obj
    if isinstance(obj, CustomObject):
        return converted(obj, kind)
    document = to_builtins(obj)
    document["apiVersion"] = kind.api_version
    convert_document = _CONVERSIONS[type(obj), kind.type]
    return from_value(convert_document(document), kind.type).object


def _event_to_core(document: dict[str, Any]) -> dict[str, Any]:
    result = {_EVENT_FIELDS.get(key, key): value for key, value in document.items()}
    result.setdefault("involvedObject", {})
    return result


def _event_from_core(document: dict[str, Any]) -> dict[str, Any]:
    names = {core: events for events, core in _EVENT_FIELDS.items()}
    return {names.get(key, key): value for key, value in document.items()}


def _autoscaler_to_v2(document: dict[str, Any]) -> dict[str, Any]:
    return autoscalers.to_v2(document)


def _autoscaler_from_v2(document: dict[str, Any]) -> dict[str, Any]:
    return autoscalers.from_v2(document)


_CONVERSIONS = {
    (events_v1.Event, core_v1.Event): _event_to_core,
    (core_v1.Event, events_v1.Event): _event_from_core,
    (autoscaling_v1.HorizontalPodAutoscaler, autoscaling_v2.HorizontalPodAutoscaler): _autoscaler_to_v2,
    (autoscaling_v2.HorizontalPodAutoscaler, autoscaling_v1.HorizontalPodAutoscaler): _autoscaler_from_v2,
}
