"""The part of metadata that only the server writes: what it makes of a client's, and what that says. Pure.

Called by `writer` on the object that is about to be stored, which is private to the request, and by `deletion`.
"""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.field_management.tracking import same_but_for_time


def wipe(metadata: ObjectMeta) -> None:
    """What only the server says of a new object."""
    metadata.uid = metadata.creation_timestamp = metadata.self_link = None
    metadata.deletion_timestamp = metadata.deletion_grace_period_seconds = None


def is_finished(obj: ApiObject) -> bool:
    """Whether nothing keeps a deleted object any more."""
    metadata = obj.metadata
    if metadata.deletion_timestamp is None or metadata.finalizers:
        return False
    if isinstance(obj, core_v1.Namespace) and obj.spec.finalizers:
        return False
    return metadata.deletion_grace_period_seconds in (None, 0)


def keep_system_metadata(new: ApiObject, old: ApiObject) -> None:
    """What no update may change, whatever the client sent."""
    kept, given = old.metadata, new.metadata
    given.uid = given.uid or kept.uid
    given.creation_timestamp = kept.creation_timestamp
    if kept.deletion_timestamp is not None:
        given.deletion_timestamp = kept.deletion_timestamp
        if given.deletion_grace_period_seconds is None:
            given.deletion_grace_period_seconds = kept.deletion_grace_period_seconds
    given.generation = kept.generation
    given.generate_name = given.generate_name or kept.generate_name


def keep_times(new: ApiObject, old: ApiObject) -> None:
    """A write that changes nothing but the time at which a manager last wrote changes nothing."""
    before, after = old.metadata.managed_fields, new.metadata.managed_fields
    if before is after or not same_but_for_time(before, after):
        return
    revision, new.metadata.resource_version = new.metadata.resource_version, old.metadata.resource_version
    new.metadata.managed_fields = before
    if new != old:
        new.metadata.managed_fields = after
    new.metadata.resource_version = revision
