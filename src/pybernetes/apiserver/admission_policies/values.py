"""What expressions about a request see: the values of `object`, `request`, `namespaceObject` and `authorizer`. Pure.

An admission request goes in, and the names with their values come out; objects are made plain when they are first read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, to_builtins
from pybernetes.api.turn import on_loop
from pybernetes.api.types.core_v1 import Namespace
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.cel import Lazy
from pybernetes.cel.library import authorizer as cel_authorizer
from pybernetes.cel.library.authorizer import Question
from pybernetes.cel.library.times import parsed_timestamp

_TIMES = ("creationTimestamp", "deletionTimestamp")


def request_values(request: AdmissionRequest, namespace: Namespace | None, authorizer: Authorizer) -> dict[str, Any]:
    """The variables of expressions about a request."""
    held = _authorizer(authorizer, request.user)
    kind = request.kind
    question = Question(
        group=kind.group,
        resource=kind.resource,
        subresource=request.subresource,
        namespace=request.namespace,
        name=request.name,
    )
    return {
        "object": Lazy(lambda: _plain(request.object)),
        "oldObject": Lazy(lambda: _plain(request.old_object)),
        "request": Lazy(lambda: _request(request)),
        "namespaceObject": Lazy(lambda: _namespace(namespace)),
        "authorizer": held,
        "authorizer.requestResource": cel_authorizer.ResourceCheck(held.ask, question),
    }


def _plain(obj: ApiObject | None) -> Any:
    return to_builtins(obj) if obj is not None else None


def _request(request: AdmissionRequest) -> dict[str, Any]:
    kind = request.kind
    described, resource = _kind(kind), _resource(kind)
    user = request.user
    return {
        "kind": described,
        "resource": resource,
        "subResource": request.subresource,
        "requestKind": described,
        "requestResource": resource,
        "requestSubResource": request.subresource,
        "name": request.name,
        "namespace": request.namespace,
        "operation": request.operation,
        "userInfo": {
            "username": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {key: list(values) for key, values in user.extra.items()},
        },
        "dryRun": request.dry_run,
        "options": _plain(request.options),
    }


def _kind(kind: Kind) -> Mapping[str, str]:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _resource(kind: Kind) -> Mapping[str, str]:
    return {"group": kind.group, "version": kind.version, "resource": kind.resource}


def _namespace(namespace: Namespace | None) -> Any:
    found = _plain(namespace)
    if found is not None:
        metadata = found["metadata"]
        metadata.update({name: parsed_timestamp(metadata[name]) for name in _TIMES if metadata.get(name)})
    return found


def _authorizer(authorizer: Authorizer, user: UserInfo) -> cel_authorizer.Authorizer:
    def ask(question: Question) -> tuple[bool, str]:
        asker = user
        if question.service_account is not None:
            namespace, name = question.service_account
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
            asker = UserInfo(f"system:serviceaccount:{namespace}:{name}", groups=groups)
        decision = on_loop(lambda: authorizer.authorize(asker, _asked(question)))
        return decision.allowed, decision.reason

    return cel_authorizer.Authorizer(ask)


def _asked(question: Question) -> RequestInfo:
    if question.path:
        return RequestInfo(question.path, question.verb)
    return RequestInfo(
        "",
        question.verb,
        True,
        group=question.group,
        version="*",
        resource=question.resource,
        subresource=question.subresource,
        namespace=question.namespace,
        name=question.name,
    )
