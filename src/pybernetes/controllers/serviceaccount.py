"""The ServiceAccount controller: every living namespace has the service account `default`."""

from __future__ import annotations

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Namespace, ServiceAccount
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.pod_control import namespace_is_going

DEFAULT = "default"


def is_living(namespace: Namespace | None) -> bool:
    """Things may be made in it."""
    return namespace is not None and namespace.status.phase != "Terminating"


class ServiceAccountController(KeyedController):
    """`serviceaccount-controller`; keys are namespaces."""

    name = "serviceaccount-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._namespaces = self.watch_own(Namespace)
        self._accounts = self.informer(ServiceAccount)
        self._accounts.on_change(self._account_changed)

    def _account_changed(self, old: ServiceAccount | None, new: ServiceAccount | None) -> None:
        if new is None and old is not None and old.metadata.name == DEFAULT:
            self.queue.add(old.metadata.namespace or "")

    async def reconcile(self, key: str) -> float | None:
        if not is_living(self._namespaces.cache.get("", key)) or self._accounts.cache.get(key, DEFAULT):
            return None
        try:
            await self.client.create(ServiceAccount(metadata=ObjectMeta(name=DEFAULT, namespace=key)))
        except StatusError as error:
            if error.code != 409 and not namespace_is_going(error):
                raise
        return None
