"""Strategies of Events, in the core group and in events.k8s.io: two spellings of one stored object."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types import core_v1, events_v1
from pybernetes.api.types.core_v1 import ObjectReference
from pybernetes.apiserver.resources.prepare import keep_generation
from pybernetes.apiserver.resources.strategy import Strategy


def _default_core_event(event: core_v1.Event) -> None:
    """The reporter's fields are always written, even when empty."""
    event.reporting_component = event.reporting_component or ""
    event.reporting_instance = event.reporting_instance or ""
    _tidy(event.involved_object)


def _default_event(event: events_v1.Event) -> None:
    _tidy(event.regarding)


def _tidy(reference: ObjectReference) -> None:
    reference.namespace = reference.namespace or None


def _core_fields(event: core_v1.Event) -> Mapping[str, str]:
    fields = _object_fields("involvedObject", event.involved_object)
    fields["reason"] = event.reason or ""
    fields["reportingComponent"] = event.reporting_component or ""
    fields["source"] = event.source.component or event.reporting_component or ""
    fields["type"] = event.type or ""
    return fields


def _event_fields(event: events_v1.Event) -> Mapping[str, str]:
    fields = _object_fields("regarding", event.regarding)
    fields["reason"] = event.reason or ""
    fields["reportingController"] = event.reporting_controller or ""
    fields["type"] = event.type or ""
    return fields


def _object_fields(prefix: str, reference: ObjectReference) -> dict[str, str]:
    return {
        f"{prefix}.kind": reference.kind or "",
        f"{prefix}.namespace": reference.namespace or "",
        f"{prefix}.name": reference.name or "",
        f"{prefix}.uid": reference.uid or "",
        f"{prefix}.apiVersion": reference.api_version or "",
        f"{prefix}.resourceVersion": reference.resource_version or "",
        f"{prefix}.fieldPath": reference.field_path or "",
    }


CORE_EVENT = Strategy(
    default=_default_core_event,
    prepare_update=keep_generation,
    fields=_core_fields,
    field_names=frozenset(_core_fields(core_v1.Event())),
    creates_on_update=True,
    has_dependents=False,
)
EVENT = Strategy(
    default=_default_event,
    prepare_update=keep_generation,
    fields=_event_fields,
    field_names=frozenset(_event_fields(events_v1.Event())),
    creates_on_update=True,
    has_dependents=False,
)
