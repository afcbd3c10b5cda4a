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
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.cel import Lazy
from pybernetes.cel.library import authorizer as cel_authorizer
from pybernetes.cel.library.authorizer import Question
from pybernetes.cel.library.times import parsed_timestamp

_TIMES = ("creationTimestamp", "deletionTimestamp")


def request_values(
    request: AdmissionRequest, kind: Kind, namespace: Namespace | None, authorizer: Authorizer
) -> dict[str, Any]:
    """The variables of expressions about a request, whose resource is taken for one of that kind."""
    held, asked = _authorizer(authorizer, request.user), request.requested or request.kind
    question = Question(
        group=asked.group,
        resource=asked.resource,
        subresource=request.subresource,
        namespace=request.namespace,
        name=request.name,
    )
    return {
        "object": Lazy(lambda: _plain(shown_as(request.object, request, kind))),
        "oldObject": Lazy(lambda: _plain(shown_as(request.old_object, request, kind))),
        "request": Lazy(lambda: _request(request, kind)),
        "namespaceObject": Lazy(lambda: _namespace(namespace)),
        "authorizer": held,
        "authorizer.requestResource": cel_authorizer.ResourceCheck(held.ask, question),
    }


def _plain(obj: ApiObject | None) -> Any:
    return to_builtins(obj) if obj is not None else None


def shown_as(obj: ApiObject | None, request: AdmissionRequest, kind: Kind) -> ApiObject | None:
    """The object, as it is stored, as one of that kind; what a sub-resource has of its own stays as it is."""
    return obj if obj is None or request.part is not None else convert(obj, kind)


def _request(request: AdmissionRequest, kind: Kind) -> dict[str, Any]:
    asked = request.requested or request.kind
    values = {
        "kind": _kind(request.part or kind),
        "resource": _resource(kind),
        "subResource": request.subresource,
        "requestKind": _kind(request.part or asked),
        "requestResource": _resource(asked),
        "requestSubResource": request.subresource,
        "name": request.name,
        "namespace": request.namespace,
        "operation": request.operation,
        "userInfo": _user(request.user),
        "dryRun": request.dry_run,
        "options": _options(request),
    }
    return {name: value for name, value in values.items() if value != ""}


def _user(user: UserInfo) -> dict[str, Any]:
    values = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {name: value for name, value in values.items() if value}


def _options(request: AdmissionRequest) -> dict[str, Any] | None:
    """The options in words of their own kind, of which a patch has those of what it does: create or update."""
    given = request.options
    if given is None:
        return None
    if isinstance(given, DeleteOptions):
        values = to_builtins(given)
    else:
        values = {"fieldManager": given.named_manager, "fieldValidation": given.named_validation}
        values["dryRun"] = ["All"] if given.dry_run else []
    head = {"kind": f"{request.operation.title()}Options", "apiVersion": "meta.k8s.io/v1"}
    return {name: value for name, value in values.items() if value not in ("", [])} | head


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
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
            asker = UserInfo(f"system:serviceaccount:{namespace}:{name}", groups=groups)
        decision = on_loop(lambda: authorizer.authorize(asker, _asked(question), question.field_selector))
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
