"""The token controller: fills Secrets of type `kubernetes.io/service-account-token`, and removes them with their
account.

Accounts get no Secret by themselves: pods use projected tokens. Signing is injected as a function.
"""

from __future__ import annotations

from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Secret, ServiceAccount
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.legacy_token import legacy_token
from pybernetes.reconcile import key_of, split_key

TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"


class ServiceAccountTokenController(KeyedController):
    """`serviceaccount-token-controller`; keys are secrets."""

    name = "serviceaccount-token-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._secrets = self.informer(Secret, field_selector=f"type={TYPE}")
        self._accounts = self.informer(ServiceAccount)
        self._secrets.on_change(self._secret_changed)
        self._accounts.on_change(self._account_changed)

    def _secret_changed(self, old: Secret | None, new: Secret | None) -> None:
        if new is not None:
            self.enqueue(new)

    def _account_changed(self, old: ServiceAccount | None, new: ServiceAccount | None) -> None:
        account = new or old
        assert account is not None
        for secret in self._secrets.cache.list(account.metadata.namespace or ""):
            if secret.metadata.annotations.get(ACCOUNT_NAME) == account.metadata.name:
                self.queue.add(key_of(secret))

    async def reconcile(self, key: str) -> float | None:
        secret = self._secrets.cache.get(*split_key(key))
        if secret is None or not self.context.options.service_account_key:
            return None
        namespace = secret.metadata.namespace or ""
        name = secret.metadata.annotations.get(ACCOUNT_NAME, "")
        account = await self._account(namespace, name)
        uid = secret.metadata.annotations.get(ACCOUNT_UID)
        if account is None or (uid and uid != account.metadata.uid):
            await self._delete(secret)
            return None
        changed = self._filled(secret, account)
        if changed != secret:
            await self.client.update(changed)
        return None

    async def _account(self, namespace: str, name: str) -> ServiceAccount | None:
        """From the cache, or when it is missing there from the server: a Secret must not die of a slow watch."""
        found = self._accounts.cache.get(namespace, name)
        if found is not None or not name:
            return found
        try:
            return await self.client.get(ServiceAccount, name, namespace)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    def _filled(self, secret: Secret, account: ServiceAccount) -> Secret:
        options = self.context.options
        changed = copy(secret)
        changed.metadata.annotations[ACCOUNT_UID] = account.metadata.uid or ""
        if options.root_ca:
            changed.data["ca.crt"] = options.root_ca.encode()
        changed.data["namespace"] = (secret.metadata.namespace or "").encode()
        if not changed.data.get("token"):
            changed.data["token"] = legacy_token(options.service_account_key, account, secret).encode()
        return changed

    async def _delete(self, secret: Secret) -> None:
        options = DeleteOptions(preconditions=Preconditions(uid=secret.metadata.uid))
        try:
            await self.client.delete(Secret, secret.metadata.name or "", secret.metadata.namespace or "", options)
        except StatusError as error:
            if error.code not in (404, 409):
                raise
