"""Who owns the replicas: the managers of an object as its scale sub-resource sees them, and back. Pure.

`/scale` speaks a Scale, whose `.spec.replicas` is a field of the object. Owners of that field are shown to the
sub-resource as owners of a Scale's; what a write there makes of them is carried back into the object's managedFields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, to_builtins
from pybernetes.api.types.autoscaling_v1 import Scale
from pybernetes.api.types.meta_v1 import ManagedFieldsEntry
from pybernetes.apiserver.field_management.application import Application
from pybernetes.apiserver.field_management.apply import Document
from pybernetes.apiserver.field_management.comparison import Comparison
from pybernetes.apiserver.field_management.fieldset import LEAF, Fields, difference, has
from pybernetes.apiserver.field_management.managers import (
    UPDATE,
    Managers,
    Owned,
    decoded,
    encoded,
    identity,
    updated,
)

SCALE_KIND = Kind("autoscaling", "v1", "scales", Scale)
_VERSION = SCALE_KIND.api_version
_IN_SCALE: Fields = {"f:spec": {"f:replicas": LEAF}}
# Where the replicas are, by apiVersion of the object; None where a version has none.
ReplicasPaths = Mapping[str, tuple[str, ...] | None]
IN_SPEC = ("f:spec", "f:replicas")


def _set_of(path: tuple[str, ...]) -> Fields:
    fields: Fields = LEAF
    for element in reversed(path):
        fields = {element: fields}
    return fields


def to_scale(managers: Managers, paths: ReplicasPaths) -> Managers:
    """The owners of the replicas, as managers of the Scale."""
    result: Managers = {}
    for who, owned in managers.items():
        path = paths.get(owned.api_version)
        if path is not None and has(owned.fields, *path):
            result[identity(who.manager, who.operation, _VERSION, who.subresource)] = Owned(
                _IN_SCALE, _VERSION, owned.time
            )
    return result


def to_object(managers: Managers, scale: Managers, paths: ReplicasPaths, api_version: str) -> Managers:
    """The managers of the object after a write of its Scale, whose managers are `scale`."""
    left = dict(scale)
    result: Managers = {}
    for who, owned in managers.items():
        if owned.api_version not in paths:
            continue
        path = paths[owned.api_version]
        if path is None or not has(owned.fields, *path):
            result[who] = owned
        elif who in left:
            result[who] = owned
            del left[who]
        elif fields := difference(owned.fields, _set_of(path)):
            result[who] = Owned(fields, owned.api_version, owned.time)
    path = paths.get(api_version)
    for who, owned in left.items():
        if path is not None and has(owned.fields, *IN_SPEC):
            # Upstream looks for the time where the new manager cannot be, so that it shows none.
            time = managers[who].time if who in managers else None
            result[who] = Owned(_set_of(path), api_version, time)
    return result


@dataclass(frozen=True, slots=True)
class ScaleUpdates:
    """Follows updates and patches of the Scale of objects of `kind`; a `Tracker`."""

    kind: Kind
    manager: str
    paths: ReplicasPaths
    replicas_of: Callable[[ApiObject], int | None]

    def created(self, new: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        raise AssertionError("a Scale is never created")

    def changed(self, new: ApiObject, old: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        managers = decoded(old.metadata.managed_fields)
        scale = to_scale(managers, self.paths)
        if scale and self.replicas_of(new) != self.replicas_of(old):
            found = Comparison(changed=_IN_SCALE)
            writer = identity(self.manager, UPDATE, _VERSION, "scale")
            scale = updated(scale, lambda _version: found, writer, _VERSION, now)
        return encoded(to_object(managers, scale, self.paths, self.kind.api_version))


@dataclass(frozen=True, slots=True)
class ScaleApplication:
    """What a server-side apply request applies to the Scale of objects of `kind`."""

    kind: Kind
    manager: str
    force: bool
    document: Document
    paths: ReplicasPaths

    def scale(self, live: Scale, entries: list[ManagedFieldsEntry], now: str) -> Scale:
        """The Scale that results; its metadata carries the object's new entries."""
        managers = decoded(entries)
        application = Application(SCALE_KIND, "scale", self.manager, self.force, self.document)
        result = application.on(to_builtins(live), to_scale(managers, self.paths), now)
        scale = application.typed(result.document)
        assert isinstance(scale, Scale)
        scale.metadata.managed_fields = encoded(to_object(managers, result.managers, self.paths, self.kind.api_version))
        return scale
