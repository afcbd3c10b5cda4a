"""The root CA publisher: the ConfigMap `kube-root-ca.crt` in every living namespace, as pods mount it."""

from __future__ import annotations

from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import ConfigMap, Namespace
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.pod_control import namespace_is_going
from pybernetes.controllers.serviceaccount import is_living

NAME = "kube-root-ca.crt"
_DESCRIPTION = "kubernetes.io/description"
_TEXT = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class RootCACertificatePublisher(KeyedController):
    """`root-ca-certificate-publisher-controller`; keys are namespaces."""

    name = "root-ca-certificate-publisher-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._namespaces = self.watch_own(Namespace)
        self._config_maps = self.informer(ConfigMap, field_selector=f"metadata.name={NAME}")
        self._config_maps.on_change(self._config_map_changed)

    def _config_map_changed(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        obj = new or old
        if obj is not None:
            self.queue.add(obj.metadata.namespace or "")

    async def reconcile(self, key: str) -> float | None:
        if not self.context.options.root_ca or not is_living(self._namespaces.cache.get("", key)):
            return None
        current = self._config_maps.cache.get(key, NAME)
        data = {"ca.crt": self.context.options.root_ca}
        if current is None:
            await self._create(key, data)
        elif current.data != data or current.metadata.annotations.get(_DESCRIPTION) != _TEXT:
            changed = copy(current)
            changed.data = data
            changed.metadata.annotations[_DESCRIPTION] = _TEXT
            await self.client.update(changed)
        return None

    async def _create(self, namespace: str, data: dict[str, str]) -> None:
        metadata = ObjectMeta(name=NAME, namespace=namespace, annotations={_DESCRIPTION: _TEXT})
        try:
            await self.client.create(ConfigMap(metadata=metadata, data=data))
        except StatusError as error:
            if error.code != 409 and not namespace_is_going(error):
                raise
