"""The add-ons that every cluster has: cluster DNS. Made sure of by an administrator's client at every start."""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.client import Client
from pybernetes.cluster.images import PYBERNETES
from pybernetes.dns.manifests import manifests


async def ensure_addons(client: Client, dns_address: str) -> None:
    """Creates what is missing of the add-ons; what is there is left as people have made it."""
    for obj in manifests(PYBERNETES, dns_address):
        if not await _exists(client, obj):
            await _create(client, obj)


async def _exists(client: Client, obj: ApiObject) -> bool:
    """Asked first, since a Service that is there already would be refused for its address before its name."""
    try:
        await client.get(type(obj), obj.metadata.name or "", obj.metadata.namespace)
    except StatusError as error:
        if error.code != 404:
            raise
        return False
    return True


async def _create(client: Client, obj: ApiObject) -> None:
    try:
        await client.create(obj)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
