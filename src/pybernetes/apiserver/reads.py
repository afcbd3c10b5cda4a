"""get and list: answers from memory, as of one revision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pybernetes.api.status import StatusError, bad_request, expired, failure, not_found
from pybernetes.api.types.meta_v1 import StatusCause, StatusDetails
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.collection import Collection
from pybernetes.apiserver.compression import compressed, encoded_headers
from pybernetes.apiserver.continuation import Continuation, decode_token, encode_token
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.known_lists import KEPT_BYTES_MAX, KnownLists, question_of
from pybernetes.apiserver.negotiation import CONTENT_TYPES, negotiate
from pybernetes.apiserver.query_numbers import parse_uint
from pybernetes.apiserver.query_options import number
from pybernetes.apiserver.registry import Registry
from pybernetes.apiserver.rendering import rendering_of
from pybernetes.apiserver.request import RequestInfo
from pybernetes.apiserver.selection import Selection, selection_of
from pybernetes.environment.clock import Clock
from pybernetes.store.errors import Compacted, FutureRevision

# A list of more objects is written piece by piece, so that it need not be in memory as a whole.
_WHOLE_MAX = 1000
_NO_CACHE = {"cache-control": "no-cache, private"}


@dataclass(frozen=True, slots=True)
class Page:
    """What a list answers: entries of one revision, and where the next page begins."""

    revision: int
    entries: Sequence[Entry]
    token: str = ""
    remaining: int | None = None


class Reads:
    """Answers get and list requests."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._known = KnownLists()

    def get(self, request: Request, info: RequestInfo) -> Response:
        """One object; 404 when there is none."""
        assert info.kind is not None
        accepted = negotiate(request, info.kind)
        self._require_reached(request.parameter("resourceVersion"))
        entry = self._registry.collection(info.kind).get(info.namespace, info.name)
        if entry is None:
            raise not_found(info.kind, info.name)
        rendering = rendering_of(info.kind, accepted, self._clock, request.parameter("includeObject"))
        return Response(200, {"content-type": rendering.content_type, **_NO_CACHE}, rendering.single(entry))

    def listing(self, request: Request, info: RequestInfo) -> Response:
        """All objects that a request selects, or a page of them."""
        assert info.kind is not None
        accepted = negotiate(request, info.kind)
        question = question_of(request, info.kind, accepted)
        headers = {"content-type": CONTENT_TYPES[accepted.media], **_NO_CACHE}
        if (known := self._known.body(question, self._registry.revision)) is not None:
            return Response(200, headers, known)
        rendering = rendering_of(info.kind, accepted, self._clock, request.parameter("includeObject"))
        page = self.page(request, info)
        if len(page.entries) > _WHOLE_MAX:
            return Response(200, headers, stream=_each(rendering.parts(page.entries, list_metadata(page))))
        body = rendering.listing(page.entries, list_metadata(page))
        if question is not None:
            self._known.note(question, self._registry.revision, body)
        return Response(200, headers, body)

    async def compressed_listing(self, request: Request, info: RequestInfo) -> Response:
        """The same in gzip, unless it is short."""
        assert info.kind is not None
        accepted = negotiate(request, info.kind)
        plain, revision = question_of(request, info.kind, accepted), self._registry.revision
        question = ("gzip", plain) if plain is not None else None
        if (known := self._known.body(question, revision)) is not None:
            headers = {"content-type": CONTENT_TYPES[accepted.media], **_NO_CACHE}
            return Response(200, encoded_headers(headers), known)
        response = await compressed(self.listing(request, info))
        if question is None or "content-encoding" not in response.headers:
            return response
        if response.stream is None:
            self._known.note(question, revision, response.body)
        elif self._known.is_asked(question, revision):
            return replace(response, stream=self._kept(response.stream, question, revision))
        else:
            self._known.note(question, revision, b"")
        return response

    async def _kept(self, stream: AsyncIterator[bytes], question: Hashable, revision: int) -> AsyncIterator[bytes]:
        """A stream as it is, whose bytes are known once it has ended, unless they are too many."""
        pieces: list[bytes] = []
        length = 0
        async for piece in stream:
            length += len(piece)
            if length <= KEPT_BYTES_MAX:
                pieces.append(piece)
            else:
                pieces.clear()
            yield piece
        if length <= KEPT_BYTES_MAX:
            self._known.note(question, revision, b"".join(pieces))

    def page(self, request: Request, info: RequestInfo) -> Page:
        """The entries that a list or deletecollection request is about."""
        assert info.kind is not None
        selection = selection_of(request, info)
        collection = self._registry.collection(info.kind)
        limit = number(request, "limit") or 0
        token, revision = request.parameter("continue"), request.parameter("resourceVersion")
        match = request.parameter("resourceVersionMatch")
        if token:
            at = decode_token(token)
            if revision not in ("", "0"):
                raise bad_request("specifying resource version is not allowed when using continue")
            # From the cache, which is what revision 0 asks for, upstream gives everything.
            return self._continued(collection, selection, at, 0 if revision == "0" else limit)
        self._require_reached(revision)
        if revision not in ("", "0") and (match == "Exact" or (limit > 0 and not match)):
            return self._exact(collection, selection, Continuation(int(revision), ""), limit)
        if revision == "0":
            limit = 0
        return self._current(collection, selection, limit)

    def _current(self, collection: Collection, selection: Selection, limit: int) -> Page:
        if selection.name and selection.namespace is not None or selection.name and not collection.kind.namespaced:
            entry = collection.get(selection.namespace or "", selection.name)
            found = [entry] if entry is not None and selection.matches(entry) else []
            return Page(self._registry.revision, found)
        revision = self._registry.revision
        if selection.labels is not None:
            entries = collection.labelled(selection.labels, selection.namespace)
        else:
            entries = collection.entries(selection.namespace)
            if limit <= 0 and _is_plain(selection):
                return Page(revision, list(entries))
        return self._cut(entries, selection, limit, revision, collection.count(selection.namespace))

    def _continued(self, collection: Collection, selection: Selection, at: Continuation, limit: int) -> Page:
        revision = self._registry.revision if at.revision <= 0 else at.revision
        return self._exact(collection, selection, Continuation(revision, at.start), limit)

    def _exact(self, collection: Collection, selection: Selection, at: Continuation, limit: int) -> Page:
        prefix = collection.prefix
        if selection.namespace is not None:
            prefix += selection.namespace + "/"
        # One more than the page holds says where the next one begins; who selects by content must see all.
        items = limit + 1 if limit > 0 and _is_plain(selection) else 0
        try:
            found = self._registry.store.range(prefix, prefix + at.start, items, at.revision)
        except Compacted as error:
            raise self._expired(at) from error
        except FutureRevision as error:
            raise too_large(at.revision, error.current) from error
        entries = map(collection.known, found.items)
        return self._cut(entries, selection, limit, at.revision, len(found.items) + found.remaining)

    @staticmethod
    def _cut(entries: Iterable[Entry], selection: Selection, limit: int, revision: int, total: int) -> Page:
        """The first `limit` entries that are selected, out of `total`."""
        chosen: list[Entry] = []
        for position, entry in enumerate(entries):
            # Upstream does not look whether any of those that follow is selected, but where it has an index.
            if 0 < limit == len(chosen) and not (selection.by_node and not selection.matches(entry)):
                last = chosen[-1]
                inside = selection.namespace is not None or not last.form.kind.namespaced
                following = f"{last.name if inside else f'{last.namespace}/{last.name}'}\0"
                token = encode_token(Continuation(revision, following))
                return Page(revision, chosen, token, total - position if _is_plain(selection) else None)
            if selection.matches(entry):
                chosen.append(entry)
        return Page(revision, chosen)

    def _expired(self, at: Continuation) -> StatusError:
        if not at.start:
            return expired("The resourceVersion for the provided list is too old.")
        error = expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
            "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
            "the results. Continuing with the provided token results in an inconsistent list - objects that were "
            "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
            "list."
        )
        error.status.metadata.continue_ = encode_token(Continuation(-1, at.start))
        return error

    def _require_reached(self, revision: str) -> None:
        """504 when a request wants a state that does not exist yet; 400 when it is no number."""
        if not revision:
            return
        try:
            wanted = parse_uint(revision)
        except ValueError as error:
            text = f'invalid resource version: resourceVersion: Invalid value: "{revision}": {error}'
            raise bad_request(text) from error
        if wanted > self._registry.revision:
            raise too_large(wanted, self._registry.revision)


def _is_plain(selection: Selection) -> bool:
    """Whether a page can be cut out of the collection without a look at the objects."""
    return not selection.by_content and not selection.name


async def _each(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        if not part:
            await asyncio.sleep(0)
        yield part


def too_large(wanted: int, current: int) -> StatusError:
    """504: the requested revision is in the future."""
    cause = StatusCause(reason="ResourceVersionTooLarge", message="Too large resource version")
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return failure(504, "Timeout", message, StatusDetails(causes=[cause], retry_after_seconds=1))


def list_metadata(page: Page) -> dict[str, Any]:
    """The metadata of a list's answer."""
    metadata: dict[str, Any] = {"resourceVersion": str(page.revision)}
    if page.token:
        metadata["continue"] = page.token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    return metadata
