"""What an API server is told when it starts; the flags of `pyb apiserver` fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from pybernetes.apiserver.request import UserInfo

SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class ApiServerOptions:
    """Names follow upstream's flags. PEM values are contents, not paths."""

    service_account_key: bytes
    service_cluster_ip_range: IPv4Network | IPv6Network = IPv4Network("10.96.0.0/16")
    # The second of a dual-stack cluster: of the other family.
    secondary_service_cluster_ip_range: IPv4Network | IPv6Network | None = None
    service_node_port_range: range = range(30000, 32768)
    service_account_issuer: str = SERVICE_ACCOUNT_ISSUER
    authorization_modes: tuple[str, ...] = ("Node", "RBAC")
    anonymous: bool = True
    advertise_address: str = "127.0.0.1"
    secure_port: int = 6443
    client_ca: str = ""
    # The users of `--token-auth-file`.
    tokens: Mapping[str, UserInfo] = field(default_factory=dict)
    enable_admission: tuple[str, ...] = ("NodeRestriction",)

    @property
    def service_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The ranges of ClusterIPs, the one of the default family first."""
        second = self.secondary_service_cluster_ip_range
        return (self.service_cluster_ip_range,) if second is None else (self.service_cluster_ip_range, second)
