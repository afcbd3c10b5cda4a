"""DefaultIngressClass: an Ingress that names no class gets the one that is marked as default."""

from __future__ import annotations

from pybernetes.api.types.networking_v1 import Ingress, IngressClass
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write
from pybernetes.apiserver.admission_plugins.newest import newest
from pybernetes.apiserver.reader import Reader

_IS_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_OLD_ANNOTATION = "kubernetes.io/ingress.class"


class DefaultIngressClass(Bystander):
    """Fills in new Ingresses."""

    name = "DefaultIngressClass"
    resources = frozenset({"ingresses.networking.k8s.io"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "networking.k8s.io", "ingresses", ("CREATE",))

    async def admit(self, request: AdmissionRequest) -> None:
        ingress = request.object
        if not isinstance(ingress, Ingress) or ingress.spec.ingress_class_name is not None:
            return
        if _OLD_ANNOTATION in ingress.metadata.annotations:
            return
        classes = self._reader.list(IngressClass)
        chosen = newest([item for item in classes if item.metadata.annotations.get(_IS_DEFAULT) == "true"])
        if chosen is not None:
            ingress.spec.ingress_class_name = chosen.metadata.name
