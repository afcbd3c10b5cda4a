"""The scale sub-resource: the replica count of a thing as an autoscaling/v1 Scale.

Requests in, responses out. What holds the count, and where, is a `Replicas`: that of the built-in workloads is in
`workload_replicas`, that of custom resources in `custom.scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject
from pybernetes.api.types.autoscaling_v1 import Scale, ScaleSpec, ScaleStatus
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import WriteOptions, place, read_object, write_options
from pybernetes.apiserver.commands import answer_object, claimed_revision, intent_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.application import document_in
from pybernetes.apiserver.field_management.options import is_apply
from pybernetes.apiserver.field_management.scale import SCALE_KIND, ReplicasPaths, ScaleApplication, ScaleUpdates
from pybernetes.apiserver.field_management.tracking import Given, Tracker
from pybernetes.apiserver.intents import Aspect
from pybernetes.apiserver.negotiation import negotiate
from pybernetes.apiserver.rendering import finished
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.writer import Writer
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver import patching
    from pybernetes.apiserver.printing import table

# The Scale that a request asks for, given the stored object.
Wanted = Callable[[Entry], Any]
# What stands in a Scale for a count that the thing itself has not.
_UNSET = -(2**31)


class Replicas(Protocol):
    """Where things of a kind keep their replica count. `kind` is the one that the request names."""

    def paths(self, kind: Kind) -> ReplicasPaths:
        """The field of the count in each served version, for field management."""

    def place(self, kind: Kind) -> str:
        """The same field, as messages name it."""

    def count(self, obj: ApiObject, kind: Kind) -> int | None:
        """The wanted count of a stored object, None where it says nothing."""

    def status(self, obj: ApiObject, kind: Kind) -> tuple[int, str | None]:
        """How many there are, and the selector of what is counted."""

    def changed(self, entry: Entry, kind: Kind, count: int) -> ApiObject:
        """A private copy of the stored object with another count."""


class ScaleView:
    """Things of a kind as their Scales; an `intents.View`."""

    def __init__(self, replicas: Replicas, kind: Kind) -> None:
        self._replicas, self._kind = replicas, kind

    def of(self, obj: ApiObject) -> Scale:
        metadata = obj.metadata
        there, selector = self._replicas.status(obj, self._kind)
        count = self._replicas.count(obj, self._kind)
        return Scale(
            metadata=ObjectMeta(
                name=metadata.name,
                namespace=metadata.namespace,
                uid=metadata.uid,
                resource_version=metadata.resource_version,
                creation_timestamp=metadata.creation_timestamp,
            ),
            # Zero is not written, as Go writes it.
            spec=ScaleSpec(replicas=_UNSET if count is None else count or None),
            status=ScaleStatus(replicas=there, selector=selector),
        )

    def written(self, entry: Entry, view: Scale) -> ApiObject:
        count = (view.spec or ScaleSpec()).replicas or 0
        if count < 0 and not issubclass(self._kind.type, CustomObject):
            problem = status.invalid("spec.replicas", count, "must be greater than or equal to 0")
            raise status.invalid_object(SCALE_KIND, entry.name, [problem])
        if count == _UNSET:
            raise status.bad_request(f'the spec replicas field "{self._replicas.place(self._kind)}" cannot be empty')
        new: ApiObject = self._replicas.changed(entry, self._kind, count)
        new.metadata.managed_fields = view.metadata.managed_fields
        return new


class ScaleSubresource:
    """get, update and patch of `/scale`."""

    def __init__(self, writer: Writer, replicas: Replicas) -> None:
        self._writer = writer
        self._replicas = replicas

    async def answer(self, asked: Authenticated) -> Response:
        """The answer to any request for the sub-resource; the verb is known to be one of the three."""
        if asked.info.verb == "get":
            return self._shown(asked, self._present(self._entry(asked), _kind(asked)))
        options = write_options(asked.request)
        # Told once each, however often an attempt has to be made again.
        warnings: dict[str, None] = {}
        wanted = self._wanted(asked, options, lambda text: warnings.update({text: None}))
        return await self._write(asked, wanted, options, warnings)

    def _wanted(self, asked: Authenticated, options: WriteOptions, warn: Callable[[str], None]) -> Wanted:
        kind, request = _kind(asked), asked.request
        if asked.info.verb == "update":
            return lambda _entry: read_object(request, Scale, options.validation, warn)
        if not is_apply(request):
            # What the thing itself does not take, its scale does not either.
            patching.accepted_media(request, kind.type)
            patch, validation = (
                patching.patch_of(request, Scale, options.validation),
                patching.Validation(options.validation, warn),
            )
            return lambda entry: patching.patched(self._scale(entry, kind), patch, SCALE_KIND, validation)
        document = document_in(request, options.validation, warn)
        paths = self._replicas.paths(kind)
        application = ScaleApplication(kind, options.field_manager, options.force, document, paths)

        def applied(entry: Entry) -> Scale:
            scale = self._scale(entry, kind)
            return application.scale(scale, entry.object.metadata.managed_fields, self._writer.now())

        return applied

    async def _write(
        self, asked: Authenticated, wanted: Wanted, options: WriteOptions, warnings: Iterable[str]
    ) -> Response:
        kind = _kind(asked)
        intent = replace(intent_of(asked, options), part=SCALE_KIND)
        tracker: Tracker = Given()
        if not is_apply(asked.request):
            paths = self._replicas.paths(kind)
            tracker = ScaleUpdates(kind, options.field_manager, paths, lambda obj: self._replicas.count(obj, kind))
        intent = replace(intent, tracker=tracker)
        strategy = self._writer.registry.collection(intent.kind).form.strategy

        def make(entry: Entry) -> ApiObject:
            scale: Scale = wanted(entry)
            if (revision := claimed_revision(scale)) and revision != entry.revision:
                raise status.conflict(intent.kind, intent.name, status.OBJECT_MODIFIED)
            place(scale, asked.info, kind)
            return scale

        view = ScaleView(self._replicas, kind)
        aspect = Aspect(strategy.prepare_update, strategy.validate_update, view)
        entry = await self._writer.modify(intent, make, aspect)
        return self._shown(asked, view.of(entry.object), [*warnings, *intent.warnings])

    def _shown(self, asked: Authenticated, scale: Scale, warnings: Sequence[str] = ()) -> Response:
        accepted = negotiate(asked.request, asked.info.kind)
        if accepted.form != "table":
            return answer_object(asked.request, scale, warnings)
        document = table.scale_table(scale, f"meta.k8s.io/{accepted.version}", self._writer.clock.now())
        body, content_type = finished(msgspec.json.encode(document), accepted)
        return Response(200, {"content-type": content_type, "cache-control": "no-cache, private"}, body)

    def _present(self, entry: Entry, kind: Kind) -> Scale:
        if self._replicas.count(entry.object, kind) is None:
            raise status.internal_error(f'the spec replicas field "{self._replicas.place(kind)}" does not exist')
        return self._scale(entry, kind)

    def _scale(self, entry: Entry, kind: Kind) -> Scale:
        return ScaleView(self._replicas, kind).of(entry.object)

    def _entry(self, asked: Authenticated) -> Entry:
        info, kind = asked.info, _kind(asked)
        entry = self._writer.registry.collection(kind).get(info.namespace, info.name)
        if entry is None:
            raise status.not_found(kind, info.name)
        return entry


def _kind(asked: Authenticated) -> Kind:
    assert asked.info.kind is not None
    return asked.info.kind
