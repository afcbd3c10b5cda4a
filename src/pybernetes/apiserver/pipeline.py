"""The order of everything. Read this file first: a request goes through it from top to bottom.

receive -> identify -> authenticate -> impersonate -> limit -> authorize -> read | watch | write | connect | document
-> answer.
A write goes on in `writer.py`: decode and default -> mutating admission -> prepare -> validate -> validating admission
-> compare-and-swap in the store. Audit has its place marked below; that of priority and fairness is `InFlight`.
Errors leave by one exit, which turns them into a Kubernetes `Status`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from pybernetes.api.objects import CustomObject
from pybernetes.api.status import StatusError, bad_request, failure, internal_error
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.commands import Commands
from pybernetes.apiserver.compression import accepts_gzip, compressed, may_compress
from pybernetes.apiserver.custom.answering import CustomAnswers
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.identify import identify, selected
from pybernetes.apiserver.in_flight import TOO_MANY, InFlight
from pybernetes.apiserver.lifecycle import Lifecycle
from pybernetes.apiserver.negotiation import Accepted, negotiate_document
from pybernetes.apiserver.query_options import check_list_options, request_seconds
from pybernetes.apiserver.reads import Reads
from pybernetes.apiserver.rendering import finished
from pybernetes.apiserver.request import Authenticated, RequestInfo
from pybernetes.apiserver.stages.authentication import Authenticator
from pybernetes.apiserver.stages.authorization import MASTERS, Authorizer
from pybernetes.apiserver.stages.impersonation import impersonate
from pybernetes.apiserver.warning_headers import warning_of_age
from pybernetes.apiserver.watching.watches import Watches

_log = logging.getLogger(__name__)
# The sub-resources that are written as parts of their parent, by the same commands.
_PARTS = frozenset({"", "status", "finalize", "ephemeralcontainers", "resize", "approval"})
# What is passed on to whatever is behind a proxy.
_PROXIED = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
# What is answered at once, from memory.
_READS = frozenset({"get", "list", "watch"})

Answer = Callable[[Authenticated], Awaitable[Response]]


class Documents(Protocol):
    """Answers for paths that are no resources: discovery, OpenAPI, health, version, metrics."""

    async def answer(self, asked: Authenticated) -> Response | None:
        """The document; None when the path has none."""


@dataclass(frozen=True)
class Stages:
    """What the pipeline is made of; `extra` answers by (resource, subresource, verb) what is no plain object."""

    authenticator: Authenticator
    authorizer: Authorizer
    reads: Reads
    watches: Watches
    commands: Commands
    documents: Documents
    metrics: Metrics
    writes: InFlight
    lifecycle: Lifecycle
    extra: Mapping[tuple[str, str, str], Answer]
    custom: CustomAnswers


class Pipeline:
    """Turns requests into responses; knows no sockets."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages

    async def handle(self, request: Request) -> Response:
        """The response to any request whatever; never raises but for cancellation."""
        stages = self._stages
        metrics = stages.metrics
        began = metrics.seconds()
        if stages.lifecycle.is_draining and (refusal := stages.lifecycle.refused(request)) is not None:
            return refusal
        info = identify(request, stages.custom.resources)
        response = await self._answer_or_error(request, info)
        if "accept-encoding" in request.headers and accepts_gzip(request.headers) and may_compress(info):
            response = await compressed(response)
        series = metrics.series(request, info)
        if series is None:
            return response
        if response.stream is not None or response.upgrade is not None:
            return metrics.long_running(series, response, began)
        if response.status in (429, 504):
            series.terminated(response.status)
        series.add(response.status, metrics.seconds() - began, len(response.body))
        return response

    async def _answer_or_error(self, request: Request, info: RequestInfo) -> Response:
        try:
            return await self._answer(request, info)
        except StatusError as error:
            return error_response(request, error)
        except asyncio.CancelledError:
            raise
        except RecursionError:
            # Bodies are bounded where they are read; this is for what is nested in a way that nobody thought of.
            _log.warning("%s %s is nested too deeply", request.method, request.path)
            return error_response(request, bad_request("exceeded max depth"))
        except Exception as error:
            _log.exception("%s %s failed", request.method, request.path)
            return error_response(request, internal_error(type(error).__name__))

    async def _answer(self, request: Request, info: RequestInfo) -> Response:
        stages = self._stages
        is_short = not info.is_long_running
        seconds = request_seconds(request) if request.query and is_short else 0.0
        metrics = stages.metrics
        began = metrics.seconds()
        try:
            sender = await stages.authenticator.authenticate(request)
        except StatusError:
            metrics.authentication["error"].add(metrics.seconds() - began)
            raise
        metrics.authenticated(sender.name, began)
        # Place of audit .
        field_selector = request.parameter("fieldSelector")
        target = selected(info, field_selector)
        user = impersonate(sender, request.headers, target, stages.authorizer)
        asked = Authenticated(request, info, user)
        if info.verb in _READS or not is_short:
            return await self._permitted(asked, target, field_selector)
        if stages.writes.is_full and MASTERS not in user.groups:
            return TOO_MANY
        permitted = self._permitted(asked, target, field_selector)
        return await stages.writes.carry_out(permitted, seconds)

    async def _permitted(self, asked: Authenticated, target: RequestInfo, field_selector: str) -> Response:
        stages, info = self._stages, asked.info
        metrics = stages.metrics
        began = metrics.seconds()
        try:
            stages.authorizer.require(asked.user, target, field_selector)
        except StatusError:
            metrics.authorization["no-opinion"].add(metrics.seconds() - began)
            raise
        metrics.allowed.add(metrics.seconds() - began)
        if not info.is_resource or (info.group and info.group not in stages.custom.resources.groups):
            return await self._document(asked)
        return await self._resource(asked)

    async def _document(self, asked: Authenticated) -> Response:
        response = await self._stages.documents.answer(asked)
        if response is None:
            return Response(404, {"content-type": "text/plain; charset=utf-8"}, b"404 page not found\n")
        return response

    async def _resource(self, asked: Authenticated) -> Response:
        if self._stages.custom.concerns(asked.info):
            return await self._stages.custom.answer(asked, self._general)
        warning = warning_of_age(asked.info.kind)
        if warning is None:
            return await self._general(asked)
        try:
            response = await self._general(asked)
        except StatusError as error:
            if error.code != 405:
                error.headers.setdefault("warning", warning)
            raise
        given = response.headers.get("warning", ())
        others = (given,) if isinstance(given, str) else given
        return replace(response, headers={**response.headers, "warning": (warning, *others)})

    async def _general(self, asked: Authenticated) -> Response:
        stages, info = self._stages, asked.info
        _require_served(asked.request, info)
        custom = info.kind is not None and issubclass(info.kind.type, CustomObject)
        extra = stages.extra.get((info.resource, info.subresource, info.verb)) if not custom else None
        if extra is not None:
            return await extra(asked)
        if info.subresource not in _PARTS:
            raise _no_such_resource()
        if info.verb in ("list", "watch", "deletecollection"):
            check_list_options(asked.request, watch=info.verb == "watch")
        match info.verb:
            case "get":
                return stages.reads.get(asked.request, info)
            case "list":
                if accepts_gzip(asked.request.headers):
                    return await stages.reads.compressed_listing(asked.request, info)
                return stages.reads.listing(asked.request, info)
            case "watch":
                return stages.watches.watch(asked.request, info)
            case "create":
                return await stages.commands.create(asked)
            case "update":
                return await stages.commands.update(asked)
            case "patch":
                return await stages.commands.patch(asked)
            case "delete":
                return await stages.commands.delete(asked)
            case "deletecollection":
                return await stages.commands.delete_collection(asked)
        raise _method_not_allowed()


def _require_served(request: Request, info: RequestInfo) -> None:
    """404 for what does not exist, 405 for what exists but cannot be done to it."""
    kind = info.kind
    if kind is None or (info.subresource and info.child is None):
        raise _no_such_resource()
    if kind.namespaced != bool(info.namespace) and (info.name or not kind.namespaced) and kind.resource != "namespaces":
        raise _no_such_resource()
    verbs = info.child.verbs if info.child is not None else kind.verbs
    if info.subresource == "proxy" and request.method in _PROXIED:
        return
    if request.method == "HEAD":
        raise _method_not_allowed()
    if info.verb not in verbs or (request.method == "POST" and info.name and not info.subresource):
        raise _method_not_allowed()
    if info.verb in ("update", "patch") and not info.name:
        raise _method_not_allowed()
    if info.verb in ("create", "deletecollection") and kind.namespaced and not info.namespace:
        raise _method_not_allowed()


def _no_such_resource() -> StatusError:
    return failure(404, "NotFound", "the server could not find the requested resource", StatusDetails())


def _method_not_allowed() -> StatusError:
    message = "the server does not allow this method on the requested resource"
    return failure(405, "MethodNotAllowed", message, StatusDetails())


def error_response(request: Request, error: StatusError) -> Response:
    """The one exit of errors: a Status in the form that the client accepts."""
    try:
        accepted = negotiate_document(request)
    except StatusError:
        accepted = Accepted()
    body, content_type = finished(msgspec.json.encode(error.status), accepted)
    headers = {"content-type": content_type, "cache-control": "no-cache, private", **error.headers}
    details = error.status.details
    if details is not None and details.retry_after_seconds:
        headers.setdefault("retry-after", str(details.retry_after_seconds))
    return Response(error.code, headers, body)
