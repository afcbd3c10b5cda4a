"""Services and EndpointSlices as tests write them, and the node they are looked at from."""

from __future__ import annotations

from typing import Any

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.proxy.rules import NodeFacts

FACTS = NodeFacts("n1", "192.168.101.2", cluster_cidr="10.244.0.0/16")


def service(name: str = "web", ip: str = "10.96.0.20", port: int = 80, status: Any = None, **spec: Any) -> Service:
    """A Service in `default` with one port."""
    ports = spec.pop("ports", [{"port": port, "targetPort": port, "protocol": "TCP"}])
    body = {"clusterIP": ip, "clusterIPs": [ip], "type": "ClusterIP", "ports": ports, **spec}
    metadata = {"name": name, "namespace": "default"}
    return from_builtins({"metadata": metadata, "spec": body, "status": status or {}}, Service)


def endpoint(ip: str, node: str = "n2", **conditions: bool) -> dict[str, Any]:
    return {"addresses": [ip], "nodeName": node, "conditions": {"ready": True, **conditions}}


def endpoint_slice(
    *endpoints: dict[str, Any], service: str = "web", port: int = 8080, name: str = "", protocol: str = "TCP"
) -> EndpointSlice:
    metadata = {"name": f"{service}-1", "namespace": "default", "labels": {"kubernetes.io/service-name": service}}
    ports = [{"name": name, "port": port, "protocol": protocol}]
    body = {"metadata": metadata, "addressType": "IPv4", "endpoints": list(endpoints), "ports": ports}
    return from_builtins(body, EndpointSlice)
