"""DefaultStorageClass, StorageObjectInUseProtection and PersistentVolumeClaimResize: claims and volumes."""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.quantity import compare
from pybernetes.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from pybernetes.api.types.storage_v1 import StorageClass, VolumeAttributesClass
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write, refusal
from pybernetes.apiserver.admission_plugins.newest import newest
from pybernetes.apiserver.reader import Reader

_IS_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_PROTECTIONS: dict[type[ApiObject], str] = {
    PersistentVolume: "kubernetes.io/pv-protection",
    PersistentVolumeClaim: "kubernetes.io/pvc-protection",
    VolumeAttributesClass: "kubernetes.io/vac-protection",
}
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


class DefaultStorageClass(Bystander):
    """A claim that names no class gets the default one; an empty name is an answer, too."""

    name = "DefaultStorageClass"
    resources = frozenset({"persistentvolumeclaims"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "persistentvolumeclaims", ("CREATE",))

    async def admit(self, request: AdmissionRequest) -> None:
        claim = request.object
        if not isinstance(claim, PersistentVolumeClaim) or claim.spec.storage_class_name is not None:
            return
        if _BETA_CLASS in claim.metadata.annotations:
            return
        defaults = [item for item in self._reader.list(StorageClass) if _is_default(item)]
        chosen = newest(defaults)
        if chosen is not None:
            claim.spec.storage_class_name = chosen.metadata.name


def _is_default(item: StorageClass) -> bool:
    return any(item.metadata.annotations.get(key) == "true" for key in _IS_DEFAULT)


class StorageObjectInUseProtection(Bystander):
    """New claims and volumes carry a finalizer, so that none goes while somebody uses it."""

    name = "StorageObjectInUseProtection"
    resources = frozenset({"persistentvolumeclaims", "persistentvolumes", "volumeattributesclasses.storage.k8s.io"})

    def handles(self, request: AdmissionRequest) -> bool:
        create = ("CREATE",)
        claims = is_write(request, "", "persistentvolumeclaims", create)
        classes = is_write(request, "storage.k8s.io", "volumeattributesclasses", create)
        return claims or classes or is_write(request, "", "persistentvolumes", create)

    async def admit(self, request: AdmissionRequest) -> None:
        obj = request.object
        if obj is None:
            return
        finalizer = next(name for type_, name in _PROTECTIONS.items() if isinstance(obj, type_))
        if finalizer not in obj.metadata.finalizers:
            obj.metadata.finalizers = [*obj.metadata.finalizers, finalizer]


class PersistentVolumeClaimResize(Bystander):
    """A claim may only grow where its class can let volumes grow."""

    name = "PersistentVolumeClaimResize"
    resources = frozenset({"persistentvolumeclaims"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "persistentvolumeclaims", ("UPDATE",))

    async def validate(self, request: AdmissionRequest) -> None:
        new, old = request.object, request.old_object
        if not isinstance(new, PersistentVolumeClaim) or not isinstance(old, PersistentVolumeClaim):
            return
        wanted = new.spec.resources.requests.get("storage", 0)
        if compare(wanted, old.spec.resources.requests.get("storage", 0)) <= 0:
            return
        name = old.metadata.annotations.get(_BETA_CLASS) or old.spec.storage_class_name or ""
        storage_class = self._reader.get(StorageClass, name) if name else None
        if storage_class is None or not storage_class.allow_volume_expansion:
            why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc"
            raise refusal(request, f"{why} must support resize")
