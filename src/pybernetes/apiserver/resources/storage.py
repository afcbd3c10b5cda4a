"""Strategies of storage.k8s.io, scheduling.k8s.io and node.k8s.io: what pods and volumes refer to by name."""

from __future__ import annotations

from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.api.types.storage_v1 import CSIDriver, CSIStorageCapacity, StorageClass
from pybernetes.apiserver.resources.amounts import canonical_or_none, canonicalize
from pybernetes.apiserver.resources.prepare import (
    clear_status,
    count_spec_changes,
    drop_unused,
    first_generation,
    keep_generation,
    keep_status,
    only_status_and_its_metadata,
)
from pybernetes.apiserver.resources.strategy import Strategy

# Whether pods wait for nodes that have the driver; a feature that is off.
_WAITS = "prevent_pod_scheduling_if_missing"


def _default_storage_class(storage_class: StorageClass) -> None:
    storage_class.reclaim_policy = storage_class.reclaim_policy or "Delete"
    storage_class.volume_binding_mode = storage_class.volume_binding_mode or "Immediate"


def _default_driver(driver: CSIDriver) -> None:
    spec = driver.spec
    spec.attach_required = True if spec.attach_required is None else spec.attach_required
    spec.fs_group_policy = spec.fs_group_policy or "ReadWriteOnceWithFSType"
    spec.pod_info_on_mount = bool(spec.pod_info_on_mount)
    spec.requires_republish = bool(spec.requires_republish)
    spec.se_linux_mount = bool(spec.se_linux_mount)
    spec.storage_capacity = bool(spec.storage_capacity)
    spec.volume_lifecycle_modes = spec.volume_lifecycle_modes or ["Persistent"]


def _prepare_driver(driver: CSIDriver) -> None:
    drop_unused(driver.spec, None, _WAITS)


def _prepare_driver_update(new: CSIDriver, old: CSIDriver) -> None:
    drop_unused(new.spec, old.spec, _WAITS)
    count_spec_changes(new, old)


def _default_storage_capacity(capacity: CSIStorageCapacity) -> None:
    capacity.capacity = canonical_or_none(capacity.capacity)
    capacity.maximum_volume_size = canonical_or_none(capacity.maximum_volume_size)


def _default_priority_class(priority_class: PriorityClass) -> None:
    priority_class.preemption_policy = priority_class.preemption_policy or "PreemptLowerPriority"
    priority_class.global_default = priority_class.global_default or None
    priority_class.value = priority_class.value or 0


def _default_runtime_class(runtime_class: RuntimeClass) -> None:
    if runtime_class.overhead is not None:
        canonicalize(runtime_class.overhead.pod_fixed)


STORAGE_CLASS = Strategy(default=_default_storage_class, prepare_update=keep_generation, returns_deleted=True)
CSI_DRIVER = Strategy(
    default=_default_driver,
    prepare_create=_prepare_driver,
    prepare_update=_prepare_driver_update,
    returns_deleted=True,
    unconditional_update=False,
)
CSI_NODE = Strategy(prepare_update=keep_generation, returns_deleted=True, unconditional_update=False)
CSI_STORAGE_CAPACITY = Strategy(default=_default_storage_capacity, prepare_update=keep_generation)
VOLUME_ATTACHMENT = Strategy(
    prepare_create=clear_status,
    prepare_update=keep_status,
    prepare_status=only_status_and_its_metadata,
    returns_deleted=True,
    unconditional_update=False,
)
VOLUME_ATTRIBUTES_CLASS = Strategy(prepare_update=keep_generation, returns_deleted=True)
PRIORITY_CLASS = Strategy(
    default=_default_priority_class,
    prepare_create=first_generation,
    prepare_update=keep_generation,
)
RUNTIME_CLASS = Strategy(
    default=_default_runtime_class,
    prepare_update=keep_generation,
    creates_on_update=True,
    unconditional_update=False,
)
