"""The typed client: objects in, objects out, over any `Transport`. Every component talks to the API server through it.

Failures that the server words are `StatusError`; no answer is `errors.Unreachable`. Objects given in are never changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, TypedDict, TypeVar, Unpack, cast

import msgspec

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, Object
from pybernetes.api.partial import METADATA_ONLY, PartialObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.authentication_v1 import TokenRequest, TokenRequestSpec
from pybernetes.api.types.core_v1 import Binding, ObjectReference, Pod, ServiceAccount
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta
from pybernetes.api.types.policy_v1 import Eviction
from pybernetes.api.wire import EMPTY, Request, Response
from pybernetes.client.answers import ObjectList, WatchEvent, decode_event, decode_list, decode_object, error_in
from pybernetes.client.errors import Unreachable
from pybernetes.client.lines import LineSplitter
from pybernetes.client.patch_type import PatchType
from pybernetes.client.retry import Retry
from pybernetes.client.transport import Transport

Answer = TypeVar("Answer", bound=ApiObject)
JSON = "application/json"
Patch = bytes | Mapping[str, Any] | list[Any] | ApiObject


class ListOptions(TypedDict, total=False):
    """The query of a list or a watch, as keyword arguments; what is empty or zero is not sent."""

    label_selector: str
    field_selector: str
    limit: int
    continue_: str
    resource_version: str
    resource_version_match: str
    timeout_seconds: int
    allow_watch_bookmarks: bool
    send_initial_events: bool


class WriteOptions(TypedDict, total=False):
    """The query of a write, as keyword arguments."""

    dry_run: bool
    field_manager: str
    field_validation: str
    force: bool


class Client:
    """Typed requests over one transport; may be shared by any number of tasks of one loop."""

    def __init__(self, transport: Transport, retry: Retry | None = None, user_agent: str = "pybernetes") -> None:
        self.transport = transport
        self._retry = retry or Retry()
        self._headers = {"accept": JSON, "user-agent": user_agent}

    async def get(self, type_: type[Object], name: str, namespace: str | None = None, subresource: str = "") -> Object:
        """One object; `StatusError` 404 when there is none."""
        response = await self.raw("GET", kind_of(type_).path(namespace, name, subresource), headers=_accept(type_))
        return decode_object(response.body, type_)

    async def list(
        self, type_: type[Object], namespace: str | None = None, **options: Unpack[ListOptions]
    ) -> ObjectList[Object]:
        """Objects of one namespace, or of all when it is None; with `limit`, one page."""
        response = await self.raw(
            "GET", kind_of(type_).path(namespace), _query(options), headers=_accept(type_, "List")
        )
        return decode_list(response.body, type_)

    async def pages(
        self, type_: type[Object], namespace: str | None = None, **options: Unpack[ListOptions]
    ) -> AsyncGenerator[ObjectList[Object], None]:
        """All pages of a list, `limit` objects each (500 if not told); all show one revision, or `Expired` comes."""
        options = cast(ListOptions, {"limit": 500, **options})
        while True:
            page = await self.list(type_, namespace, **options)
            yield page
            if not page.continue_:
                return
            # The token says the revision; a server refuses both together.
            kept = {name: value for name, value in options.items() if not name.startswith("resource_version")}
            options = cast(ListOptions, {**kept, "continue_": page.continue_})

    async def create(self, obj: Object, **options: Unpack[WriteOptions]) -> Object:
        """Creates in the namespace that the object says."""
        path = kind_of(type(obj)).path(obj.metadata.namespace)
        response = await self.raw("POST", path, _query(options), _body(obj))
        return decode_object(response.body, type(obj))

    async def update(self, obj: Object, subresource: str = "", **options: Unpack[WriteOptions]) -> Object:
        """Replaces the object; `StatusError` 409 when its resourceVersion is set and no longer the newest."""
        path = kind_of(type(obj)).path(obj.metadata.namespace, obj.metadata.name or "", subresource)
        response = await self.raw("PUT", path, _query(options), _body(obj))
        return decode_object(response.body, type(obj))

    async def update_status(self, obj: Object) -> Object:
        """Writes the status that the object holds, only if nobody has changed the object since it was read."""
        return await self.update(obj, "status")

    async def patch(
        self,
        type_: type[Object],
        name: str,
        namespace: str | None,
        patch: Patch,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str = "",
        **options: Unpack[WriteOptions],
    ) -> Object:
        """Sends a change. A patch that sets metadata.resourceVersion fails with 409 when it is not the newest."""
        path = kind_of(type_).path(namespace, name, subresource)
        response = await self.raw(
            "PATCH", path, _query(options), _body(patch), {"content-type": patch_type, **_accept(type_)}
        )
        return decode_object(response.body, type_)

    async def apply(
        self, obj: Object, field_manager: str, subresource: str = "", *, force: bool = True, dry_run: bool = False
    ) -> Object:
        """Server-side apply of the fields that are set."""
        where, options = obj.metadata, WriteOptions(field_manager=field_manager, force=force, dry_run=dry_run)
        return await self.patch(
            type(obj), where.name or "", where.namespace, obj, PatchType.APPLY, subresource, **options
        )

    async def delete(
        self,
        type_: type[ApiObject],
        name: str,
        namespace: str | None = None,
        options: DeleteOptions | None = None,
    ) -> None:
        """Asks for deletion; an object with finalizers or a grace period may stay for a while."""
        body = msgspec.json.encode(options) if options else b""
        await self.raw("DELETE", kind_of(type_).path(namespace, name), body=body)

    async def delete_collection(
        self,
        type_: type[ApiObject],
        namespace: str | None = None,
        options: DeleteOptions | None = None,
        **selection: Unpack[ListOptions],
    ) -> None:
        """Asks for deletion of everything that the selectors match."""
        body = msgspec.json.encode(options) if options else b""
        await self.raw("DELETE", kind_of(type_).path(namespace), _query(selection), body)

    async def watch(
        self, type_: type[Object], namespace: str | None = None, **options: Unpack[ListOptions]
    ) -> AsyncGenerator[WatchEvent[Object], None]:
        """Changes after `resource_version`, until the server ends the watch (the iteration ends then).

        Close it with `contextlib.aclosing` when leaving early. Raises `Expired` when the revision is compacted.
        """
        query = (*_query(options), ("watch", "true"))
        response = await self.raw("GET", kind_of(type_).path(namespace), query, headers=_accept(type_))
        if response.stream is None:
            raise Unreachable("the answer to a watch is no stream")
        splitter = LineSplitter()
        async with aclosing(cast("AsyncGenerator[bytes, None]", response.stream)) as stream:
            async for chunk in stream:
                for line in splitter.feed(chunk):
                    yield decode_event(line, type_)

    async def post_subresource(
        self,
        type_: type[ApiObject],
        name: str,
        namespace: str | None,
        subresource: str,
        body: ApiObject,
        answer: type[Answer],
    ) -> Answer:
        """POST to `.../<name>/<subresource>`; the answer is decoded as the type given."""
        response = await self.raw("POST", kind_of(type_).path(namespace, name, subresource), body=_body(body))
        return decode_object(response.body, answer)

    async def bind(self, pod: Pod, node_name: str) -> None:
        """Gives the pod its node; `StatusError` 409 when it has one."""
        where = ObjectMeta(name=pod.metadata.name, namespace=pod.metadata.namespace, uid=pod.metadata.uid)
        body = Binding(metadata=where, target=ObjectReference(kind="Node", name=node_name))
        await self._post("binding", pod, body)

    async def evict(self, pod: Pod, options: DeleteOptions | None = None) -> None:
        """Deletes the pod unless a disruption budget forbids it (`StatusError` 429)."""
        where = ObjectMeta(name=pod.metadata.name, namespace=pod.metadata.namespace)
        await self._post("eviction", pod, Eviction(metadata=where, delete_options=options))

    async def create_token(self, name: str, namespace: str, spec: TokenRequestSpec) -> TokenRequest:
        """A token of a service account; it is in `.status`."""
        return await self.post_subresource(
            ServiceAccount, name, namespace, "token", TokenRequest(spec=spec), TokenRequest
        )

    async def raw(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        headers: Mapping[str, str] = EMPTY,
    ) -> Response:
        """Any request, repeated as `Retry` allows. Failures are raised; a success comes as it is."""
        content = {"content-type": JSON} if body else {}
        request = Request(method, path, tuple(query), {**self._headers, **content, **headers}, body)
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._attempt(request)
            if isinstance(outcome, Response):
                return outcome
            delay = self._retry.delay(method, outcome, attempt)
            if delay is None:
                raise outcome
            await asyncio.sleep(delay)

    async def close(self) -> None:
        """Closes the transport; requests under way fail."""
        await self.transport.close()

    async def _attempt(self, request: Request) -> Response | StatusError | Unreachable:
        try:
            response = await self.transport.send(request)
        except Unreachable as error:
            return error
        return error_in(response) or response

    async def _post(self, subresource: str, pod: Pod, body: ApiObject) -> None:
        name, namespace = pod.metadata.name or "", pod.metadata.namespace or ""
        # Both answer with a bare Status, and a failure has been raised by then.
        await self.raw("POST", kind_of(Pod).path(namespace, name, subresource), body=_body(body))


def _accept(type_: type[ApiObject], suffix: str = "") -> Mapping[str, str]:
    """Asks for metadata alone where the type holds no more."""
    if not issubclass(type_, PartialObject):
        return EMPTY
    return {"accept": f"{JSON};{METADATA_ONLY.format(suffix)},{JSON}"}


def _body(content: Patch) -> bytes:
    return content if isinstance(content, bytes) else msgspec.json.encode(content)


_SPECIAL = {"dry_run": ("dryRun", "All")}


def _query(options: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Keyword arguments as query parameters: camelCase, without what is empty."""
    return tuple(_SPECIAL.get(name) or (_camel(name), _shown(value)) for name, value in options.items() if value)


def _camel(name: str) -> str:
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)


def _shown(value: object) -> str:
    return "true" if value is True else str(value)
