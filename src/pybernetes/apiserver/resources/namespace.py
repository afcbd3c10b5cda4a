"""The strategy of Namespaces: active until deleted, held back by the finalizer `kubernetes` of the spec."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.core_v1 import Namespace, NamespaceStatus
from pybernetes.apiserver.resources.prepare import keep_generation, only_status
from pybernetes.apiserver.resources.strategy import Strategy

_NAME_LABEL = "kubernetes.io/metadata.name"
_FINALIZER = "kubernetes"


def _default_namespace(namespace: Namespace) -> None:
    _label_with_name(namespace)
    namespace.status.phase = namespace.status.phase or "Active"


def _label_with_name(namespace: Namespace) -> None:
    """Every namespace can be selected by its name."""
    name = namespace.metadata.name
    if name and namespace.metadata.labels.get(_NAME_LABEL) != name:
        namespace.metadata.labels = {**namespace.metadata.labels, _NAME_LABEL: name}


def _prepare_create(namespace: Namespace) -> None:
    # Only now a generated name is known.
    _label_with_name(namespace)
    namespace.status = NamespaceStatus(phase="Active")
    if _FINALIZER not in namespace.spec.finalizers:
        namespace.spec.finalizers = [*namespace.spec.finalizers, _FINALIZER]


def _prepare_update(new: Namespace, old: Namespace) -> None:
    """The spec of a namespace is changed by its sub-resource `finalize` only."""
    new.spec.finalizers = old.spec.finalizers
    new.status = old.status
    keep_generation(new, old)


def _fields(namespace: Namespace) -> Mapping[str, str]:
    return {"status.phase": namespace.status.phase or ""}


NAMESPACE = Strategy(
    default=_default_namespace,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    prepare_status=only_status,
    fields=_fields,
    field_names=frozenset(_fields(Namespace())),
    returns_deleted=True,
)
