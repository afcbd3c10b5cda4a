"""The names that expressions about a request to the API server may use: `object`, `request`, `params` and their kin.

Admission policies and the match conditions of webhooks are compiled here, and by who checks them beforehand. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pybernetes.cel import types
from pybernetes.cel.library.authorizer import LIBRARY, Authorizer, ResourceCheck
from pybernetes.cel.program import Environment, Program
from pybernetes.cel.source import CompileError, InstantiationError
from pybernetes.cel.types import ObjectType, Type

_STRINGS = types.list_of(types.STRING)
_LABELS = types.map_of(types.STRING, types.STRING)


def _texts(name: str, *fields: str) -> ObjectType:
    return types.object_type(f"kubernetes.{name}", dict.fromkeys(fields, types.STRING))


_KIND = _texts("GroupVersionKind", "group", "version", "kind")
_RESOURCE = _texts("GroupVersionResource", "group", "version", "resource")
_USER = types.object_type(
    "kubernetes.UserInfo",
    {
        "username": types.STRING,
        "uid": types.STRING,
        "groups": _STRINGS,
        "extra": types.map_of(types.STRING, _STRINGS),
    },
)
REQUEST = types.object_type(
    "kubernetes.AdmissionRequest",
    {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": types.STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": types.STRING,
        "name": types.STRING,
        "namespace": types.STRING,
        "operation": types.STRING,
        "userInfo": _USER,
        "dryRun": types.BOOL,
        "options": types.DYN,
    },
)
_METADATA = types.object_type(
    "kubernetes.NamespaceMetadata",
    {
        **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion"), types.STRING),
        "labels": _LABELS,
        "annotations": _LABELS,
        "creationTimestamp": types.TIMESTAMP,
        "deletionTimestamp": types.TIMESTAMP,
        "generation": types.INT,
        "deletionGracePeriodSeconds": types.INT,
        "finalizers": _STRINGS,
    },
)
NAMESPACE = types.object_type(
    "kubernetes.Namespace",
    {
        "metadata": _METADATA,
        "spec": types.object_type("kubernetes.NamespaceSpec", {"finalizers": _STRINGS}),
        "status": types.object_type("kubernetes.NamespaceStatus", {"phase": types.STRING}),
    },
)
VARIABLES = "kubernetes.variables"


@dataclass(frozen=True)
class Expression:
    """A compiled expression, or what is wrong with it."""

    text: str
    program: Program | None = None
    problem: str = ""


def environment(has_params: bool = False, object_type: Type = types.DYN, params_type: Type = types.DYN) -> Environment:
    """What expressions about a request may use; policies add `variables`."""
    variables: dict[str, Type] = {
        "object": object_type,
        "oldObject": object_type,
        "request": REQUEST,
        "namespaceObject": NAMESPACE,
    }
    if has_params:
        variables["params"] = params_type
    variables["authorizer"] = types.opaque(Authorizer.type_name)
    variables["authorizer.requestResource"] = types.opaque(ResourceCheck.type_name)
    return Environment().extended(variables, LIBRARY)


def compiled(text: str, held: Environment, *wanted: Type) -> Expression:
    """An expression whose value must be of one of the wanted types; any will do when none is named."""
    try:
        program = held.compile(text)
    except InstantiationError as error:
        return Expression(text, problem=str(error))
    except CompileError as error:
        return Expression(text, problem=f"compilation failed: {error}")
    if wanted and program.result not in wanted:
        names = ["null_type" if type_.kind == "null" else str(type_) for type_ in wanted]
        what = names[0] if len(names) == 1 else f"one of [{' '.join(names)}]"
        return Expression(text, problem=f"must evaluate to {what} but got {program.result}")
    return Expression(text, program)


def with_variables(
    held: Environment, definitions: Iterable[tuple[str, str]]
) -> tuple[Environment, list[tuple[str, Expression]]]:
    """The environment that knows `variables`, each of which may use the ones before it; and their expressions."""
    fields: dict[str, Type] = {}
    found: list[tuple[str, Expression]] = []
    result = held.extended({"variables": types.object_type(VARIABLES, {})})
    for name, text in definitions:
        expression = compiled(text, result)
        found.append((name, expression))
        if expression.program is not None:
            result = with_variable(held, fields, name, expression.program.result)
    return result, found


def with_variable(held: Environment, fields: dict[str, Type], name: str, result: Type) -> Environment:
    """The environment that knows one variable more than those of `fields`, where it is noted."""
    fields[name] = result
    return held.extended({"variables": types.object_type(VARIABLES, dict(fields))})
