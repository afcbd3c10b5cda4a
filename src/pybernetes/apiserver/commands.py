"""create, update, patch, delete and deletecollection of objects and of their parts: requests in, responses out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject
from pybernetes.api.struct import ApiStruct
from pybernetes.api.types.meta_v1 import DeleteOptions, Status, StatusDetails
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.aspects import aspect_of
from pybernetes.apiserver.bodies import WriteOptions, delete_options, place, read_object, write_options
from pybernetes.apiserver.conversion import convert, storage_kind
from pybernetes.apiserver.deletion import Deletion, says_nothing
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.application import Application, document_in
from pybernetes.apiserver.field_management.options import is_apply
from pybernetes.apiserver.field_management.tracking import Given, Updates
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.moulds import Wish, wish_of
from pybernetes.apiserver.negotiation import negotiate
from pybernetes.apiserver.owner_references import drop_repeated
from pybernetes.apiserver.query_numbers import parse_uint
from pybernetes.apiserver.reads import Reads, list_metadata
from pybernetes.apiserver.rendering import finished, rendering_of
from pybernetes.apiserver.request import Authenticated, RequestInfo, UserInfo
from pybernetes.apiserver.warning_headers import warning_headers
from pybernetes.apiserver.writer import Writer
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver import patching

_NO_CACHE = {"cache-control": "no-cache, private"}


class Commands:
    """Answers the requests that change things."""

    def __init__(self, writer: Writer, reads: Reads, require: Callable[[UserInfo, RequestInfo], None]) -> None:
        """`require` raises 403 when a user may not do what a request, which is not the one under way, would do."""
        self._writer = writer
        self._require_create = require
        self._reads = reads
        self.deletion = Deletion(writer)

    async def create(self, asked: Authenticated) -> Response:
        """201 with the stored object."""
        kind, options = _kind(asked), write_options(asked.request)
        collection = self._writer.registry.collection(kind)
        wish = wish_of(asked, options, collection.form)
        if wish is not None and (entry := await self._writer.create_again(collection, wish)) is not None:
            return answer(asked, entry, self._writer, (), 201)
        intent = intent_of(asked, options)
        try:
            obj = read_object(asked.request, kind.type, options.validation, intent.warnings.append)
            drop_repeated(obj.metadata, intent.warnings.append)
            entry = await self._create(asked, intent, obj, wish)
        except status.StatusError as error:
            if given := warning_headers(intent.warnings):
                error.headers["warning"] = ", ".join(given["warning"])
            raise
        return answer(asked, entry, self._writer, intent.warnings, 201)

    async def _create(self, asked: Authenticated, intent: Intent, obj: ApiObject, wish: Wish | None = None) -> Entry:
        place(obj, asked.info, _kind(asked))
        if obj.metadata.resource_version:
            _require_new(obj)
        stored = convert(obj, intent.kind)
        if isinstance(obj, CustomObject) and stored is not obj and intent.tracker is not None:
            # What the stored version's schema adds or drops is not the client's doing.
            stored.metadata.managed_fields = intent.tracker.created(obj, self._writer.now())
            intent = replace(intent, tracker=Given())
        self._writer.registry.collection(intent.kind).form.strategy.default(stored)
        return await self._writer.create(intent, stored, wish)

    async def update(self, asked: Authenticated) -> Response:
        """200 with the stored object; 201 for the kinds that a PUT creates."""
        kind, options = _kind(asked), write_options(asked.request)
        obj = read_object(asked.request, kind.type, options.validation, lambda _text: None)
        place(obj, asked.info, kind)
        intent = replace(intent_of(asked, options), pinned=claimed_revision(obj) != 0)
        strategy = self._writer.registry.collection(intent.kind).form.strategy
        missing = self._writer.registry.collection(intent.kind).get(intent.namespace, intent.name) is None
        if missing and strategy.creates_on_update and not asked.info.subresource:
            self._require_create(asked.user, replace(asked.info, verb="create"))
            return await self._put_new(asked, intent, obj)
        warnings: dict[str, None] = {}

        def warn(text: str) -> None:
            warnings[text] = None

        def make(entry: Entry) -> ApiObject:
            fresh = read_object(asked.request, kind.type, options.validation, warn)
            drop_repeated(fresh.metadata, warn)
            place(fresh, asked.info, kind)
            _require_same(kind, fresh, entry)
            require_current(kind, fresh, entry)
            return self._prepared(fresh, entry, intent.kind)

        entry = await self._writer.modify(intent, make, self._aspect(intent))
        return answer(asked, entry, self._writer, [*warnings, *intent.warnings])

    async def _put_new(self, asked: Authenticated, intent: Intent, obj: ApiObject) -> Response:
        obj.metadata.resource_version = None
        drop_repeated(obj.metadata, intent.warnings.append)
        return answer(asked, await self._create(asked, intent, obj), self._writer, intent.warnings, 201)

    async def patch(self, asked: Authenticated) -> Response:
        """200 with the stored object."""
        kind, options = _kind(asked), write_options(asked.request)
        intent = intent_of(asked, options)
        if is_apply(asked.request):
            return await self._apply(asked, options, replace(intent, tracker=Given()))
        patch = patching.patch_of(asked.request, kind.type, options.validation)
        warnings: dict[str, None] = {}

        def warn(text: str) -> None:
            warnings[text] = None

        validation = patching.Validation(options.validation, warn)

        def make(entry: Entry) -> ApiObject:
            fresh = patching.patched(convert(entry.private(), kind), patch, kind, validation)
            drop_repeated(fresh.metadata, warn, patched=True)
            place(fresh, asked.info, kind)
            require_current(kind, fresh, entry)
            return self._prepared(fresh, entry, intent.kind)

        entry = await self._writer.modify(intent, make, self._aspect(intent))
        return answer(asked, entry, self._writer, [*warnings, *intent.warnings])

    async def _apply(self, asked: Authenticated, options: WriteOptions, intent: Intent) -> Response:
        """Server-side apply: 200, or 201 where it creates the object."""
        kind = _kind(asked)
        application = application_of(asked, options, intent.warnings.append)
        collection = self._writer.registry.collection(intent.kind)
        if collection.get(intent.namespace, intent.name) is None and not intent.subresource:
            self._require_create(asked.user, replace(asked.info, verb="create"))
            obj = application.object(None, self._writer.now())
            if uid := obj.metadata.uid:
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise status.conflict(kind, intent.name, why)
            obj.metadata.resource_version = None
            try:
                return answer(asked, await self._create(asked, intent, obj), self._writer, intent.warnings, 201)
            except status.StatusError as error:
                if error.reason != "AlreadyExists":
                    raise

        def make(entry: Entry) -> ApiObject:
            fresh = application.object(entry.object, self._writer.now())
            drop_repeated(fresh.metadata, intent.warnings.append, patched=True)
            place(fresh, asked.info, kind)
            require_current(kind, fresh, entry)
            return self._prepared(fresh, entry, intent.kind)

        entry = await self._writer.modify(intent, make, self._aspect(intent))
        return answer(asked, entry, self._writer, intent.warnings)

    def _prepared(self, fresh: ApiObject, entry: Entry, kind: Kind) -> ApiObject:
        """The client's object as it is stored, with defaults; 422 when it claims to be another object."""
        uid = entry.object.metadata.uid
        if fresh.metadata.uid and fresh.metadata.uid != uid:
            problem = status.invalid("metadata.uid", fresh.metadata.uid, "field is immutable")
            # Upstream looks twice and says so twice.
            raise status.invalid_object(kind, entry.name, [problem, problem])
        stored = convert(fresh, kind)
        entry.form.strategy.default(stored)
        return stored

    def _aspect(self, intent: Intent) -> Aspect:
        strategy = self._writer.registry.collection(intent.kind).form.strategy
        return aspect_of(intent.kind, strategy, intent.subresource)

    async def delete(self, asked: Authenticated) -> Response:
        """200 (or 202) with the object, or 200 with a Status that names it."""
        kind = _kind(asked)
        warnings: list[str] = []
        options = delete_options(asked.request, warnings.append)
        intent = _deletion_of(asked, options, warnings)
        strategy = self._writer.registry.collection(intent.kind).form.strategy
        deleted = await self.deletion.delete(intent, options)
        if strategy.orphan_warning and says_nothing(options):
            warnings.append(strategy.orphan_warning)
        if not deleted.gone or strategy.returns_deleted:
            # Only those who ask in the oldest way are told that it may take a while.
            code = 202 if not deleted.gone and options.orphan_dependents is False else 200
            return answer(asked, deleted.entry, self._writer, warnings, code)
        details = StatusDetails(name=intent.name, kind=kind.resource, uid=deleted.entry.object.metadata.uid)
        details.group = kind.group or None
        return _success(asked.request, details, warnings)

    async def delete_collection(self, asked: Authenticated) -> Response:
        """200 with the list of what has been deleted, as it was before."""
        kind = _kind(asked)
        accepted = negotiate(asked.request, kind)
        warnings: list[str] = []
        options = delete_options(asked.request, warnings.append)
        page = self._reads.page(asked.request, asked.info)
        intent = _deletion_of(asked, options, warnings)
        await self.deletion.delete_all(intent, list(page.entries), options)
        strategy = self._writer.registry.collection(intent.kind).form.strategy
        if strategy.orphan_warning and says_nothing(options):
            warnings.append(strategy.orphan_warning)
        rendering = rendering_of(kind, accepted, self._writer.clock)
        body = rendering.listing(page.entries, list_metadata(page))
        return Response(200, {"content-type": rendering.content_type, **_NO_CACHE, **warning_headers(warnings)}, body)


def claimed_revision(obj: ApiObject) -> int:
    """The revision that a client says its object is made of, 0 for none; 500, as upstream has it, for no number."""
    try:
        return parse_uint(obj.metadata.resource_version or "0")
    except ValueError as error:
        raise status.failure(500, "", str(error)) from error


def _require_new(obj: ApiObject) -> None:
    """500 for an object to be created that claims a revision; what is no number claims none."""
    with suppress(ValueError):
        if parse_uint(obj.metadata.resource_version or ""):
            raise status.failure(500, "", "resourceVersion should not be set on objects to be created")
    obj.metadata.resource_version = None


def require_current(kind: Kind, wanted: ApiObject, entry: Entry) -> None:
    """409 when a client's object is not made of the stored one, 422 when it must say of which and does not."""
    revision = claimed_revision(wanted)
    if revision:
        if revision != entry.revision:
            raise status.conflict(kind, entry.name, status.OBJECT_MODIFIED)
    elif not entry.form.strategy.unconditional_update:
        problem = status.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise status.invalid_object(kind, entry.name, [problem], called=kind.resource)


def _require_same(kind: Kind, wanted: ApiObject, entry: Entry) -> None:
    """409 when a client means an object that is no longer the one of that name."""
    uid, found = wanted.metadata.uid, entry.object.metadata.uid
    if not uid or uid == found:
        return
    key = "/".join(part for part in (kind.resource, entry.namespace, entry.name) if part)
    raise status.conflict(
        kind,
        entry.name,
        f"StorageError: invalid object, Code: 4, Key: /{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
        f"failed: UID in precondition: {uid}, UID in object meta: {found}",
    )


def _kind(asked: Authenticated) -> Kind:
    assert asked.info.kind is not None
    return asked.info.kind


def intent_of(asked: Authenticated, options: WriteOptions) -> Intent:
    """The intent of a write request."""
    info = asked.info
    kind = _kind(asked)
    namespace = info.namespace if kind.namespaced else ""
    return Intent(
        kind=storage_kind(kind),
        user=asked.user,
        namespace=namespace,
        name=info.name,
        subresource=info.subresource,
        dry_run=options.dry_run,
        options=options,
        requested=kind,
        headers=asked.request.headers,
        tracker=Updates(kind, options.field_manager, info.subresource),
        verb=info.verb,
    )


def _deletion_of(asked: Authenticated, options: DeleteOptions, warnings: list[str]) -> Intent:
    info, kind = asked.info, _kind(asked)
    return Intent(
        kind=storage_kind(kind),
        user=asked.user,
        namespace=info.namespace if kind.namespaced else "",
        name=info.name,
        dry_run=bool(options.dry_run),
        options=options,
        requested=kind,
        warnings=warnings,
        headers=asked.request.headers,
    )


def application_of(asked: Authenticated, options: WriteOptions, warn: Callable[[str], None]) -> Application:
    """What a server-side apply request applies."""
    document = document_in(asked.request, options.validation, warn)
    return Application(_kind(asked), asked.info.subresource, options.field_manager, options.force, document)


def answer(asked: Authenticated, entry: Entry, writer: Writer, warnings: Sequence[str], code: int = 200) -> Response:
    """The response that shows one object in the form that the client accepts."""
    accepted = negotiate(asked.request, _kind(asked))
    rendering = rendering_of(_kind(asked), accepted, writer.clock, asked.request.parameter("includeObject"))
    body = rendering.single(entry)
    return Response(code, {"content-type": rendering.content_type, **_NO_CACHE, **warning_headers(warnings)}, body)


def answer_object(request: Request, obj: ApiStruct, warnings: Sequence[str], code: int = 200) -> Response:
    """The response that shows an object that is not stored, such as a review."""
    accepted = negotiate(request)
    if accepted.form != "object" and not isinstance(obj, Status):
        message = "only the following media types are accepted: application/json, application/yaml, "
        raise status.failure(406, "NotAcceptable", message + "application/vnd.kubernetes.protobuf")
    body, content_type = finished(msgspec.json.encode(obj), accepted)
    return Response(code, {"content-type": content_type, **_NO_CACHE, **warning_headers(warnings)}, body)


def _success(request: Request, details: StatusDetails, warnings: Sequence[str]) -> Response:
    return answer_object(request, Status(status="Success", details=details), warnings)
