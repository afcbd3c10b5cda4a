"""Asking from an expression what somebody may do: `authorizer.group('apps').resource('deployments').check('create')`.

Pure: the answers come from the function that an `Authorizer` value brings along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from pybernetes.api import names
from pybernetes.cel.declarations import Library
from pybernetes.cel.types import opaque
from pybernetes.cel.values import EvaluationError, Opaque

LIBRARY = Library()
_PREFIX = "kubernetes.authorization."


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a verb on a path, or on a resource."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    # Whom it is about: (namespace, name) of a service account; None for whoever sent the request.
    service_account: tuple[str, str] | None = None


# What is asked -> (allowed, why).
Asked = Callable[[Question], tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class Authorizer(Opaque):
    """Whose rights are asked about."""

    type_name: ClassVar[str] = f"{_PREFIX}Authorizer"
    ask: Asked
    question: Question = Question()


@dataclass(frozen=True, slots=True)
class PathCheck(Opaque):
    type_name: ClassVar[str] = f"{_PREFIX}PathCheck"
    ask: Asked
    question: Question


@dataclass(frozen=True, slots=True)
class GroupCheck(Opaque):
    type_name: ClassVar[str] = f"{_PREFIX}GroupCheck"
    ask: Asked
    question: Question


@dataclass(frozen=True, slots=True)
class ResourceCheck(Opaque):
    type_name: ClassVar[str] = f"{_PREFIX}ResourceCheck"
    ask: Asked
    question: Question


@dataclass(frozen=True, slots=True)
class Decision(Opaque):
    type_name: ClassVar[str] = f"{_PREFIX}Decision"
    is_allowed: bool
    why: str


for _type in (Authorizer, PathCheck, GroupCheck, ResourceCheck, Decision):
    LIBRARY.type_name(_type.type_name, opaque(_type.type_name))


@LIBRARY.function(f"{_PREFIX}Authorizer.path(string) -> {_PREFIX}PathCheck")
def path(held: Authorizer, text: str) -> PathCheck:
    if not text.strip():
        raise EvaluationError("path must not be empty")
    return PathCheck(held.ask, replace(held.question, path=text))


@LIBRARY.function(f"{_PREFIX}Authorizer.group(string) -> {_PREFIX}GroupCheck")
def group(held: Authorizer, name: str) -> GroupCheck:
    return GroupCheck(held.ask, replace(held.question, group=name))


@LIBRARY.function(f"{_PREFIX}Authorizer.serviceAccount(string, string) -> {_PREFIX}Authorizer")
def service_account(held: Authorizer, namespace: str, name: str) -> Authorizer:
    if names.dns1123_subdomain(name):
        raise EvaluationError("Invalid service account name")
    if names.dns1123_label(namespace):
        raise EvaluationError("Invalid service account namespace")
    return Authorizer(held.ask, replace(held.question, service_account=(namespace, name)))


@LIBRARY.function(f"{_PREFIX}GroupCheck.resource(string) -> {_PREFIX}ResourceCheck")
def resource(held: GroupCheck, name: str) -> ResourceCheck:
    if not name.strip():
        raise EvaluationError("resource must not be empty")
    return ResourceCheck(held.ask, replace(held.question, resource=name))


@LIBRARY.function(f"{_PREFIX}ResourceCheck.subresource(string) -> {_PREFIX}ResourceCheck")
def subresource(held: ResourceCheck, name: str) -> ResourceCheck:
    return ResourceCheck(held.ask, replace(held.question, subresource=name))


@LIBRARY.function(f"{_PREFIX}ResourceCheck.namespace(string) -> {_PREFIX}ResourceCheck")
def namespace(held: ResourceCheck, name: str) -> ResourceCheck:
    return ResourceCheck(held.ask, replace(held.question, namespace=name))


@LIBRARY.function(f"{_PREFIX}ResourceCheck.name(string) -> {_PREFIX}ResourceCheck")
def name(held: ResourceCheck, wanted: str) -> ResourceCheck:
    return ResourceCheck(held.ask, replace(held.question, name=wanted))


@LIBRARY.function(f"{_PREFIX}ResourceCheck.fieldSelector(string) -> {_PREFIX}ResourceCheck")
def field_selector(held: ResourceCheck, text: str) -> ResourceCheck:
    return ResourceCheck(held.ask, replace(held.question, field_selector=text))


@LIBRARY.function(f"{_PREFIX}ResourceCheck.labelSelector(string) -> {_PREFIX}ResourceCheck")
def label_selector(held: ResourceCheck, _text: str) -> ResourceCheck:
    """No built-in authorizer looks at labels: who may see everything may see a part of it."""
    return held


@LIBRARY.function(
    f"{_PREFIX}ResourceCheck.check(string) -> {_PREFIX}Decision",
    f"{_PREFIX}PathCheck.check(string) -> {_PREFIX}Decision",
)
def check(held: ResourceCheck | PathCheck, verb: str) -> Decision:
    return Decision(*held.ask(replace(held.question, verb=verb)))


@LIBRARY.function(f"{_PREFIX}Decision.allowed() -> bool")
def allowed(held: Decision) -> bool:
    return held.is_allowed


@LIBRARY.function(f"{_PREFIX}Decision.reason() -> string")
def reason(held: Decision) -> str:
    return held.why


@LIBRARY.function(f"{_PREFIX}Decision.errored() -> bool")
def errored(_held: Decision) -> bool:
    return False


@LIBRARY.function(f"{_PREFIX}Decision.error() -> string")
def error(_held: Decision) -> str:
    return ""
