"""The scale sub-resource of custom resources: replicas at the paths that the definition names.

Requests in, responses out, as `subresources.scale` does for built-in workloads. Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, copy
from pybernetes.api.types.autoscaling_v1 import Scale, ScaleSpec, ScaleStatus
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import WriteOptions, read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.custom.json_path import first, keys, parse
from pybernetes.apiserver.custom.rules import rules_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.application import document_in
from pybernetes.apiserver.field_management.options import is_apply
from pybernetes.apiserver.field_management.scale import SCALE_KIND, ReplicasPaths, ScaleApplication, ScaleUpdates
from pybernetes.apiserver.field_management.tracking import Given, Tracker
from pybernetes.apiserver.patching import patch_of, patched
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.writer import Aspect, Writer

_SCALE_KIND = SCALE_KIND


class CustomScale:
    """get, update and patch of `/scale`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def answer(self, asked: Authenticated) -> Response:
        """The answer to any request for the sub-resource; the verb is known to be one of the three."""
        if asked.info.verb == "get":
            return answer_object(asked.request, scale_of(self._entry(asked), _kind(asked)))
        options = write_options(asked.request)
        if asked.info.verb == "update":
            return await self._write(
                asked, lambda _entry: read_object(asked.request, Scale, options.validation, lambda _text: None)
            )
        if is_apply(asked.request):
            return await self._apply(asked, options)
        apply = patch_of(asked.request, Scale)
        return await self._write(
            asked,
            lambda entry: patched(
                scale_of(entry, _kind(asked)), apply, _SCALE_KIND, options.validation, lambda _text: None
            ),
        )

    async def _apply(self, asked: Authenticated, options: WriteOptions) -> Response:
        kind = _kind(asked)
        document = document_in(asked.request, options.validation, lambda _text: None)
        application = ScaleApplication(kind, options.field_manager, options.force, document, _paths(kind))

        def wanted(entry: Entry) -> Scale:
            return application.scale(scale_of(entry, kind), entry.object.metadata.managed_fields, self._writer.now())

        return await self._write(asked, wanted, Given())

    async def _write(
        self, asked: Authenticated, wanted: Callable[[Entry], Any], tracker: Tracker | None = None
    ) -> Response:
        options, kind = write_options(asked.request), _kind(asked)
        intent = intent_of(asked, options)
        paths = _paths(kind)
        tracker = tracker or ScaleUpdates(kind, options.field_manager, paths, lambda obj: _replicas(obj, kind))
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
            new = copy(convert(entry.object, intent.kind))
            assert isinstance(new, CustomObject)  # its kind has rules
            _put(new.content, rules_of(kind.type).scale.spec_replicas_path, replicas)  # type: ignore[arg-type, union-attr]
            new.metadata.managed_fields = scale.metadata.managed_fields
            return new

        aspect = Aspect(strategy.prepare_update, strategy.validate_update)
        entry = await self._writer.modify(intent, make, aspect)
        return answer_object(asked.request, scale_of(entry, kind), intent.warnings)

    def _entry(self, asked: Authenticated) -> Entry:
        info, kind = asked.info, _kind(asked)
        entry = self._writer.registry.collection(kind).get(info.namespace, info.name)
        if entry is None:
            raise status.not_found(kind, info.name)
        return entry


def _kind(asked: Authenticated) -> Kind:
    assert asked.info.kind is not None
    return asked.info.kind


def _paths(kind: Kind) -> ReplicasPaths:
    """Where each served version has its replicas."""
    result: dict[str, tuple[str, ...] | None] = {}
    for version, row in rules_of(kind.type).versions.items():  # type: ignore[arg-type]
        scale = rules_of(row.type).scale  # type: ignore[arg-type]
        names = keys(parse(scale.spec_replicas_path)) if scale is not None else None
        result[version] = tuple(f"f:{name}" for name in names) if names else None
    return result


def _replicas(obj: ApiObject, kind: Kind) -> int | None:
    assert isinstance(obj, CustomObject)  # its kind has rules
    paths = rules_of(kind.type).scale  # type: ignore[arg-type]
    assert paths is not None  # the sub-resource is served
    found: int | None = first(obj.content, parse(paths.spec_replicas_path))
    return found


def _put(content: dict[str, Any], path: str, value: int) -> None:
    """Sets the value at a path of fields, making the objects on the way."""
    *way, last = keys(parse(path)) or ("",)
    for name in way:
        inner = content.get(name)
        if not isinstance(inner, dict):
            inner = content[name] = {}
        content = inner
    content[last] = value


def scale_of(entry: Entry, kind: Kind) -> Scale:
    """The Scale of an object. Pure."""
    obj = entry.object
    assert isinstance(obj, CustomObject)  # its kind has rules
    paths = rules_of(kind.type).scale  # type: ignore[arg-type]
    assert paths is not None  # the sub-resource is served
    replicas = first(obj.content, parse(paths.spec_replicas_path))
    if replicas is None:
        message = f"the spec replicas field {paths.spec_replicas_path!r} does not exist".replace("'", '"')
        raise status.internal_error(message)
    selector = first(obj.content, parse(paths.label_selector_path)) if paths.label_selector_path else None
    metadata = obj.metadata
    return Scale(
        metadata=ObjectMeta(
            name=metadata.name,
            namespace=metadata.namespace,
            uid=metadata.uid,
            resource_version=metadata.resource_version,
            creation_timestamp=metadata.creation_timestamp,
        ),
        spec=ScaleSpec(replicas=replicas),
        status=ScaleStatus(replicas=first(obj.content, parse(paths.status_replicas_path)) or 0, selector=selector),
    )
