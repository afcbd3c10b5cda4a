"""The objects that a binding gives its policy as `params`.

A policy's paramKind, a binding's paramRef and a request go in; plain objects come out, found by the reader.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import to_builtins
from pybernetes.api.types.admissionregistration_v1 import ParamKind, ParamRef
from pybernetes.apiserver.admission_policies.evaluation import PolicyError
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.reader import Reader


class UnknownParams(PolicyError):
    """A policy whose params are of a kind that nobody serves."""


def params_of(reader: Reader, wanted: ParamKind | None, ref: ParamRef | None, namespace: str) -> list[Any]:
    """The params of each evaluation: None for a policy without; none at all when the binding does without it then."""
    if wanted is None or ref is None:
        return [None]
    kind = reader.find_kind(wanted.api_version or "", wanted.kind or "")
    if kind is None:
        raise UnknownParams(f"failed to find resource referenced by paramKind: '{_shown(wanted)}'")
    found = _objects(reader, kind, ref, _namespace(kind, ref, namespace))
    if not found and ref.parameter_not_found_action != "Allow":
        raise PolicyError("no params found for policy binding with `Deny` parameterNotFoundAction")
    return found


def _namespace(kind: Kind, ref: ParamRef, namespace: str) -> str:
    if not kind.namespaced:
        if ref.namespace:
            raise PolicyError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        return ""
    if not (ref.namespace or namespace):
        raise PolicyError("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    return ref.namespace or namespace


def _objects(reader: Reader, kind: Kind, ref: ParamRef, namespace: str) -> list[Any]:
    selector = from_label_selector(ref.selector) if ref.selector is not None else None
    return [
        to_builtins(convert(obj, kind))
        for obj in reader.of_kind(kind, namespace)
        if (obj.metadata.name == ref.name if selector is None else selector.matches(obj.metadata.labels))
    ]


def _shown(kind: ParamKind) -> str:
    group, _, version = (kind.api_version or "").rpartition("/")
    return f"{group}/{version}, Kind={kind.kind}"
