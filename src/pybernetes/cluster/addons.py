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
        await _ensure(client, obj)


async def _ensure(client: Client, obj: ApiObject) -> None:
    try:
        await client.create(obj)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
