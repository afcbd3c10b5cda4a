"""The controllers work with the rights of the `system:controller:*` roles alone; nothing is forbidden to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest, CertificateSigningRequestCondition
from pybernetes.api.types.core_v1 import ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota
from pybernetes.api.types.networking_v1 import ServiceCIDR
from pybernetes.client import Client
from pybernetes.cluster.simulation import SimulationOptions, simulated_cluster
from pybernetes.controllers import csr_rules
from pybernetes.controllers.context import ControllerOptions
from pybernetes.environment.virtual_time import run_virtual
from tests.controllers.test_autoscaling import autoscaler
from tests.controllers.test_certificates import CLIENT, asked, authority, pem
from tests.controllers.test_custom_owners import SHIP, definition, owned_by
from tests.controllers.test_volumes import claim, volume
from tests.controllers.world import made


async def until(what: Callable[[], Awaitable[Any]]) -> None:
    """Waits in virtual time until it is truthy; a 404 counts as not yet."""
    async with asyncio.timeout(600):
        while True:
            try:
                if await what():
                    return
            except StatusError as error:
                if error.code != 404:
                    raise
            await asyncio.sleep(0.5)


async def gone(client: Client, type_: Any, name: str, namespace: str | None = "default") -> bool:
    return not [item for item in (await client.list(type_, namespace)).items if item.metadata.name == name]


async def volumes(client: Client) -> None:
    await client.create(volume("v", persistentVolumeReclaimPolicy="Delete"))
    await client.create(claim("c"))

    async def bound() -> bool:
        return (await client.get(PersistentVolumeClaim, "c", "default")).status.phase == "Bound"

    await until(bound)
    await client.delete(PersistentVolumeClaim, "c", "default")
    await until(lambda: gone(client, PersistentVolume, "v", None))
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    ephemeral = {"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": wanted}}}
    await client.create(made(Pod, "web", spec={"containers": [{"name": "c", "image": "i"}], "volumes": [ephemeral]}))
    await until(lambda: client.get(PersistentVolumeClaim, "web-data", "default"))


async def certificates(client: Client) -> None:
    await client.create(
        asked("node", pem("system:node:a", "system:nodes"), csr_rules.KUBE_APISERVER_CLIENT_KUBELET, CLIENT)
    )
    request = await client.create(asked("jane", pem("jane"), csr_rules.KUBE_APISERVER_CLIENT, CLIENT))
    changed = copy(request)
    changed.status.conditions = [CertificateSigningRequestCondition(type="Approved", status="True", reason="me")]
    await client.update(changed, "approval")
    for name in ("node", "jane"):

        async def signed(name: str = name) -> bool:
            return bool((await client.get(CertificateSigningRequest, name)).status.certificate)

        await until(signed)


async def owners(client: Client) -> None:
    await client.create(definition())
    ship = SHIP.type(kind="Ship", api_version="sea.io/v1", metadata=made(ConfigMap, "big").metadata)
    uid = (await client.create(ship)).metadata.uid or ""
    await client.create(made(ConfigMap, "cargo", metadata=owned_by("big", uid)))
    await client.create(made(ResourceQuota, "q", spec={"hard": {"count/ships.sea.io": "3", "configmaps": "9"}}))

    async def counted() -> bool:
        used = (await client.get(ResourceQuota, "q", "default")).status.used
        return used.get("count/ships.sea.io") == "1" and used.get("configmaps") == "1"

    await until(counted)
    await client.delete(SHIP.type, "big", "default")
    await until(lambda: gone(client, ConfigMap, "cargo"))


async def scaling(client: Client) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await client.create(made(Deployment, "web", spec=spec))
    await client.create(autoscaler("cpu", minReplicas=2))

    async def scaled() -> bool:
        return (await client.get(Deployment, "web", "default")).status.ready_replicas == 2

    await until(scaled)


async def ranges(client: Client) -> None:
    async def ready() -> bool:
        return any(item.status == "True" for item in (await client.get(ServiceCIDR, "kubernetes")).status.conditions)

    await until(ready)


@pytest.mark.parametrize("scenario", [volumes, certificates, owners, scaling, ranges])
def test_controllers_may_do_their_work(
    scenario: Callable[[Client], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = authority()
    options = ControllerOptions(
        cluster_cidr="10.244.0.0/16", cluster_signing_certificate=certificate, cluster_signing_key=key
    )

    async def main() -> None:
        async with simulated_cluster(SimulationOptions(workers=1, controllers=options)) as cluster:
            await scenario(cluster.client)

    with caplog.at_level(logging.WARNING):
        run_virtual(main())
    assert [text for text in caplog.messages if "forbidden" in text or "failed" in text] == []
