"""Marks, and a year later removes, token secrets of service accounts that nobody has used for a year.

Acts only when the API server tracks the use of such tokens, which it says in a ConfigMap; `decide` is the pure part.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum, auto

from pybernetes.api import time as api_time
from pybernetes.api.legacy_tokens import INVALID_SINCE, LAST_USED, TRACKING, date_of, day_of
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import ConfigMap, Pod, Secret, ServiceAccount
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController

log = logging.getLogger(__name__)

PERIOD = timedelta(days=365)
_EVERY = 24 * 3600.0
_TYPE = "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"
# There is one thing to do, and one key for it.
_KEY = "all"


class Fate(Enum):
    """What becomes of a token."""

    KEEP = auto()
    MARK = auto()
    DELETE = auto()


def decide(secret: Secret, account: ServiceAccount | None, mounted: Collection[str], now: datetime) -> Fate:
    """What becomes of a token of an account; `mounted`: the names of secrets that pods of the namespace use."""
    metadata, name = secret.metadata, secret.metadata.name or ""
    if api_time.parse(metadata.creation_timestamp or "") > now - PERIOD:
        return Fate.KEEP
    used = metadata.labels.get(LAST_USED)
    if used is not None:
        day = date_of(used)
        if day is None or day > now - PERIOD:
            return Fate.KEEP
    # Secrets that a person made are not listed in the account.
    if account is None or name in mounted or not any(item.name == name for item in account.secrets):
        return Fate.KEEP
    since = date_of(metadata.labels.get(INVALID_SINCE, ""))
    if since is None:
        return Fate.MARK
    return Fate.DELETE if since + PERIOD <= now else Fate.KEEP


def secrets_of(pod: Pod) -> set[str]:
    """The secrets that a pod mounts."""
    return {volume.secret.secret_name or "" for volume in pod.spec.volumes if volume.secret is not None}


class LegacyTokenCleaner(KeyedController):
    """`legacy-serviceaccount-token-cleaner-controller`."""

    name = "legacy-serviceaccount-token-cleaner-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._secrets = self.informer(Secret)
        self._accounts = self.informer(ServiceAccount)
        self._pods = self.informer(Pod)
        self.queue.add(_KEY)

    async def reconcile(self, key: str) -> float | None:
        if await self._is_tracked():
            for secret in self._secrets.cache.list():
                if secret.type == _TYPE:
                    await self._settle(secret)
        return _EVERY

    async def _is_tracked(self) -> bool:
        """Whether the use of tokens has been written down for long enough to be trusted."""
        try:
            tracking = await self.client.get(ConfigMap, TRACKING, "kube-system")
        except StatusError as error:
            if error.code == 404:
                return False
            raise
        since = date_of(tracking.data.get("since", ""))
        return since is not None and since + PERIOD <= self.clock.now()

    async def _settle(self, secret: Secret) -> None:
        namespace, name = secret.metadata.namespace or "", secret.metadata.name or ""
        account = self._accounts.cache.get(namespace, secret.metadata.annotations.get(_ACCOUNT, ""))
        mounted = set().union(*(secrets_of(pod) for pod in self._pods.cache.list(namespace)))
        now = self.clock.now()
        fate = decide(secret, account, mounted, now)
        preconditions = Preconditions(uid=secret.metadata.uid, resource_version=secret.metadata.resource_version)
        try:
            if fate is Fate.MARK:
                labels = {INVALID_SINCE: day_of(now)}
                await self.client.patch(Secret, name, namespace, {"metadata": {"labels": labels}})
            elif fate is Fate.DELETE:
                log.info("removing the token secret %s/%s, which nobody has used for long", namespace, name)
                await self.client.delete(Secret, name, namespace, DeleteOptions(preconditions=preconditions))
        except StatusError as error:
            if error.code not in (404, 409):
                raise
