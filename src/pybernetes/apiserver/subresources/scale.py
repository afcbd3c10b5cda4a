"""The scale sub-resource: the replica count of a workload as an autoscaling/v1 Scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import ApiObject
from pybernetes.api.types import core_v1
from pybernetes.api.types.autoscaling_v1 import Scale, ScaleSpec, ScaleStatus
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import WriteOptions, read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.application import document_in
from pybernetes.apiserver.field_management.options import is_apply
from pybernetes.apiserver.field_management.scale import (
    IN_SPEC,
    SCALE_KIND,
    ReplicasPaths,
    ScaleApplication,
    ScaleUpdates,
)
from pybernetes.apiserver.field_management.tracking import Given, Tracker
from pybernetes.apiserver.negotiation import negotiate
from pybernetes.apiserver.patching import patch_of, patched
from pybernetes.apiserver.printing.table import scale_table
from pybernetes.apiserver.rendering import finished
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.writer import Aspect, Writer

# Scale is spoken by other kinds' sub-resources only, so it has no row of its own.
_SCALE_KIND = SCALE_KIND


class ScaleSubresource:
    """get, update and patch of `/scale`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def get(self, asked: Authenticated) -> Response:
        return self._answer(asked, scale_of(self._entry(asked)))

    async def update(self, asked: Authenticated) -> Response:
        options = write_options(asked.request)
        return await self._write(
            asked, lambda _entry: read_object(asked.request, Scale, options.validation, lambda _text: None)
        )

    async def patch(self, asked: Authenticated) -> Response:
        options = write_options(asked.request)
        if is_apply(asked.request):
            return await self._apply(asked, options)
        apply = patch_of(asked.request, Scale)
        kind = _SCALE_KIND
        return await self._write(
            asked,
            lambda entry: patched(scale_of(entry), apply, kind, options.validation, lambda _text: None),
        )

    async def _apply(self, asked: Authenticated, options: WriteOptions) -> Response:
        kind = asked.info.kind
        assert kind is not None
        document = document_in(asked.request, options.validation, lambda _text: None)
        application = ScaleApplication(kind, options.field_manager, options.force, document, _paths(kind))

        def wanted(entry: Entry) -> Scale:
            return application.scale(scale_of(entry), entry.object.metadata.managed_fields, self._writer.now())

        return await self._write(asked, wanted, Given())

    async def _write(
        self, asked: Authenticated, wanted: Callable[[Entry], Any], tracker: Tracker | None = None
    ) -> Response:
        options = write_options(asked.request)
        intent = intent_of(asked, options)
        tracker = tracker or ScaleUpdates(intent.kind, options.field_manager, _paths(intent.kind), _replicas)
        intent = replace(intent, tracker=tracker)
        strategy = self._writer.registry.collection(intent.kind).form.strategy

        def make(entry: Entry) -> ApiObject:
            scale = wanted(entry)
            if scale.metadata.resource_version not in (None, "", str(entry.revision)):
                raise status.conflict(intent.kind, intent.name, status.OBJECT_MODIFIED)
            replicas = (scale.spec or ScaleSpec()).replicas or 0
            if replicas < 0:
                problem = status.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
                raise status.invalid_object(_SCALE_KIND, intent.name, [problem])
            new: Any = entry.private()
            new.spec.replicas = replicas
            new.metadata.managed_fields = scale.metadata.managed_fields
            return new  # type: ignore[no-any-return]

        aspect = Aspect(strategy.prepare_update, strategy.validate_update)
        return self._answer(asked, scale_of(await self._writer.modify(intent, make, aspect)), intent.warnings)

    def _answer(self, asked: Authenticated, scale: Scale, warnings: Sequence[str] = ()) -> Response:
        accepted = negotiate(asked.request)
        if accepted.form != "table":
            return answer_object(asked.request, scale, warnings)
        document = scale_table(scale, f"meta.k8s.io/{accepted.version}", self._writer.clock.now())
        body, content_type = finished(msgspec.json.encode(document), accepted)
        return Response(200, {"content-type": content_type, "cache-control": "no-cache, private"}, body)

    def _entry(self, asked: Authenticated) -> Entry:
        info = asked.info
        assert info.kind is not None
        entry = self._writer.registry.collection(info.kind).get(info.namespace, info.name)
        if entry is None:
            raise status.not_found(info.kind, info.name)
        return entry


def _paths(kind: Kind) -> ReplicasPaths:
    return {kind.api_version: IN_SPEC}


def _replicas(workload: Any) -> int | None:
    replicas: int | None = workload.spec.replicas
    return replicas


def scale_of(entry: Entry) -> Scale:
    """The Scale of a workload. Pure."""
    workload: Any = entry.object
    metadata = workload.metadata
    return Scale(
        metadata=ObjectMeta(
            name=metadata.name,
            namespace=metadata.namespace,
            uid=metadata.uid,
            resource_version=metadata.resource_version,
            creation_timestamp=metadata.creation_timestamp,
        ),
        spec=ScaleSpec(replicas=workload.spec.replicas or None),
        status=ScaleStatus(replicas=workload.status.replicas or 0, selector=_selector(workload)),
    )


def _selector(workload: Any) -> str:
    selector = workload.spec.selector
    if isinstance(workload, core_v1.ReplicationController):
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return str(from_label_selector(selector))
