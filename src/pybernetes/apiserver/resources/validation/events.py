"""Rules for Events: lenient for the core group's, whose clients are old, strict for those of events.k8s.io."""

from __future__ import annotations

from pybernetes.api.names import dns1123_subdomain, qualified_name
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.types import core_v1, events_v1
from pybernetes.api.types.core_v1 import ObjectReference
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE
from pybernetes.apiserver.resources.validation.texts import obeys

_WORD_LIMIT, _NOTE_LIMIT = 128, 1024
_NO_NAMESPACE = "does not match event.namespace"
_UNSET = "needs to be unset"
# Attribute and name of what never changes, in the order of complaints.
_KEPT = (
    ("regarding", "involvedObject"),
    ("reason", "reason"),
    ("note", "message"),
    ("deprecated_source", "source"),
    ("deprecated_first_timestamp", "firstTimestamp"),
    ("deprecated_last_timestamp", "lastTimestamp"),
    ("deprecated_count", "count"),
    ("type", "type"),
    ("event_time", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reporting_controller", "reportingController"),
    ("reporting_instance", "reportingInstance"),
)


def validate_core_event(event: core_v1.Event) -> list[FieldError]:
    namespace = event.metadata.namespace or ""
    if event.event_time is None:
        errors = _beside(namespace, event.involved_object)
    else:
        errors = _of_new_kind(namespace, event.involved_object)
        errors += _reporter(event.reporting_component or "", "reportingComponent")
        errors += _words(event.reporting_instance or "", event.action or "", event.reason or "")
        errors += _longest("message", event.message or "", _NOTE_LIMIT)
    return errors + obeys(namespace, dns1123_subdomain, "namespace")


def _beside(namespace: str, regarding: ObjectReference) -> list[FieldError]:
    """Events lie beside what they are about; those about cluster-wide objects in `default`."""
    given = regarding.namespace or ""
    if given == namespace or (not given and namespace == "default"):
        return []
    return [invalid("involvedObject.namespace", given, _NO_NAMESPACE)]


def _of_new_kind(namespace: str, regarding: ObjectReference) -> list[FieldError]:
    """Events that tell their own time may lie elsewhere than what they are about."""
    if regarding.namespace or namespace in ("default", "kube-system"):
        return []
    return [invalid("involvedObject.namespace", "", _NO_NAMESPACE)]


def _reporter(name: str, path: str) -> list[FieldError]:
    errors = [] if name else [required(path)]
    return errors + obeys(name, qualified_name, path)


def _words(instance: str, action: str, reason: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, value in (("reportingInstance", instance), ("action", action), ("reason", reason)):
        errors += _longest(name, value, _WORD_LIMIT) if value else [required(name)]
    return errors


def _longest(name: str, value: str, limit: int) -> list[FieldError]:
    return [invalid(name, "", f"can have at most {limit} characters")] if len(value.encode()) > limit else []


def _legacy(event: events_v1.Event) -> list[FieldError]:
    """The lenient rules, in the words that these events use for the same fields."""
    namespace = event.metadata.namespace or ""
    if not event.event_time:
        return _beside(namespace, event.regarding)
    errors = _of_new_kind(namespace, event.regarding)
    errors += _reporter(event.reporting_controller or "", "reportingController")
    errors += _words(event.reporting_instance or "", event.action or "", event.reason or "")
    return errors + _longest("message", event.note or "", _NOTE_LIMIT)


def validate_event(event: events_v1.Event) -> list[FieldError]:
    errors = _legacy(event) + _series(event)
    if not event.event_time:
        errors.append(required("eventTime"))
    if event.type not in ("Normal", "Warning"):
        errors.append(invalid("type", "", f"has invalid value: {event.type or ''}"))
    source = event.deprecated_source
    for name, given in (
        ("firstTimestamp", event.deprecated_first_timestamp),
        ("lastTimestamp", event.deprecated_last_timestamp),
        ("count", event.deprecated_count),
        ("source", source.component or source.host),
    ):
        if given:
            errors.append(invalid(name, "", _UNSET))
    return errors


def _series(event: events_v1.Event) -> list[FieldError]:
    errors: list[FieldError] = []
    if event.series is not None:
        if event.series.count < 2:
            errors.append(invalid("series.count", "", "should be at least 2"))
        if not event.series.last_observed_time:
            errors.append(required("series.lastObservedTime"))
    return errors


def validate_event_update(new: events_v1.Event, old: events_v1.Event) -> list[FieldError]:
    """Of an event that was told, only how often and when last can be told anew."""
    errors = _legacy(new)
    if new.series != old.series:
        errors += _series(new)
    for attribute, name in _KEPT:
        after, before = getattr(new, attribute), getattr(old, attribute)
        if (after or None) != (before or None):
            shown = after if isinstance(after, str | int) or after is None else type(after).__name__
            errors.append(invalid(name, shown, IMMUTABLE))
    return errors
