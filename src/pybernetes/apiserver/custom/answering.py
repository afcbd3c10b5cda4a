"""What is particular to requests for custom resources, and for the definitions that make them.

The pipeline asks before it treats a request as it treats all others: for plain 404 pages where upstream has them, for
`/scale`, for the warning that a version is deprecated, and to settle definitions before their writes are answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.status import failure, not_found
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.wire import Response
from pybernetes.apiserver.custom.definitions import Definitions
from pybernetes.apiserver.custom.resources import CustomResources
from pybernetes.apiserver.request import Authenticated, RequestInfo
from pybernetes.apiserver.subresources.scale import ScaleSubresource
from pybernetes.apiserver.warning_headers import warning_headers

Answer = Callable[[Authenticated], Awaitable[Response]]
_TEXT = {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-cache, private",
    "x-content-type-options": "nosniff",
}
_DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
# What can be asked about all namespaces at once.
_EVERYWHERE = frozenset({"list", "watch"})
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class CustomAnswers:
    """Answers requests for custom resources with the help of the general answer."""

    def __init__(self, resources: CustomResources, definitions: Definitions, scale: ScaleSubresource) -> None:
        self.resources = resources
        self._definitions = definitions
        self._scale = scale

    def concerns(self, info: RequestInfo) -> bool:
        """Whether a request is about custom resources or a write of their definitions; asked for every request."""
        if info.kind is not None and issubclass(info.kind.type, CustomObject):
            return True
        if (info.group, info.resource) == _DEFINITIONS:
            return info.verb in _WRITES
        return info.kind is None and self.resources.is_custom(info.group)

    async def answer(self, asked: Authenticated, general: Answer) -> Response:
        """The answer, made by `general` where nothing is particular."""
        info = asked.info
        kind = info.kind
        if info.resource == _DEFINITIONS[1] and info.group == _DEFINITIONS[0]:
            response = await general(asked)
            await self._definitions.settle()
            return response
        if kind is None or not issubclass(kind.type, CustomObject) or not _is_served(info):
            return Response(404, _TEXT, b"404 page not found\n")
        _require_verb(info, kind)
        response = await (self._scale.answer(asked) if _is_scale(info) else general(asked))
        return _warned(response, kind.type.rules.deprecation)


def _is_served(info: RequestInfo) -> bool:
    assert info.kind is not None
    if info.kind.namespaced and not info.namespace and info.verb not in _EVERYWHERE:
        return False
    return info.kind.namespaced or not info.namespace


def _require_verb(info: RequestInfo, kind: Kind) -> None:
    """404 for a sub-resource that the version does not have, 405 for what cannot be done."""
    if info.subresource and info.child is None:
        raise not_found(kind, info.name)
    message = ""
    if info.child is not None and info.verb not in info.child.verbs:
        message = f'{info.verb} is not supported on resources of kind "{kind.group_resource}"'
    elif info.verb == "create" and "create" not in kind.verbs:
        message = "create not allowed while custom resource definition is terminating"
    if message:
        raise failure(405, "MethodNotAllowed", message, StatusDetails(group=kind.group, kind=kind.resource))


def _is_scale(info: RequestInfo) -> bool:
    return info.subresource == "scale"


def _warned(response: Response, text: str) -> Response:
    if not text:
        return response
    own = response.headers.get("warning", ())
    texts = warning_headers([text])["warning"]
    return replace(
        response, headers={**response.headers, "warning": (*texts, *((own,) if isinstance(own, str) else own))}
    )
