"""Rules for Namespaces: their finalizers, which a sub-resource changes, and the phase that follows from deletion."""

from __future__ import annotations

from pybernetes.api.names import qualified_name
from pybernetes.api.status import FieldError, invalid
from pybernetes.api.types.core_v1 import Namespace
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.metadata import validate_finalizer
from pybernetes.apiserver.resources.validation.texts import obeys


def validate_namespace(namespace: Namespace) -> list[FieldError]:
    errors: list[FieldError] = []
    for name in namespace.spec.finalizers:
        errors += _validate_finalizer(name, "spec.finalizers")
    return errors


def _validate_finalizer(name: str, path: str) -> list[FieldError]:
    return obeys(name, qualified_name, path) + validate_finalizer(name, path)


def validate_namespace_status(new: Namespace, _old: Namespace) -> list[FieldError]:
    """The phase says no more than whether the namespace is being deleted."""
    if new.metadata.deletion_timestamp is None:
        wanted, when = "Active", "empty"
    else:
        wanted, when = "Terminating", "not empty"
    if new.status.phase == wanted:
        return []
    return [invalid("status.Phase", new.status.phase, f"may only be '{wanted}' if `deletionTimestamp` is {when}")]


def validate_namespace_finalizers(new: Namespace, _old: Namespace) -> list[FieldError]:
    """Each finalizer that the sub-resource `finalize` leaves."""
    return each(new.spec.finalizers, _validate_finalizer, "spec.finalizers")
