"""The add-on's objects as a real API server takes them, and that they fit together."""

from __future__ import annotations

from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import Service
from pybernetes.dns.manifests import manifests
from tests.proxy.cluster import cluster


async def test_the_api_server_takes_every_object() -> None:
    async with cluster() as made:
        for obj in manifests("example/dns:1", "10.96.0.10"):
            await made.client.create(obj)
        service = await made.client.get(Service, "kube-dns", "kube-system")
        assert service.spec.cluster_ip == "10.96.0.10"
        assert [(port.name, port.port, port.protocol) for port in service.spec.ports] == [
            ("dns", 53, "UDP"),
            ("dns-tcp", 53, "TCP"),
            ("metrics", 9153, "TCP"),
        ]
        deployment = await made.client.get(Deployment, "pybernetes-dns", "kube-system")
        template = deployment.spec.template
        assert template.metadata.labels == service.spec.selector == {"k8s-app": "kube-dns"}
        assert template.spec.containers[0].image == "example/dns:1"
