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
    disable_admission: tuple[str, ...] = ()
    # Seconds: what a request may take, how long an Event is kept.
    request_timeout: float = 60.0
    # The shortest length of a watch that asks for none.
    min_request_timeout: float = 1800.0
    event_ttl: float = 3600.0
    # How many writes may run at once; 0 is no limit.
    max_mutating_requests_inflight: int = 0
    # On the way down, tells clients to go elsewhere instead of no longer listening.
    shutdown_send_retry_after: bool = False
    profiling: bool = True
    # All flags in force, as /flagz shows them.
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def service_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The ranges of ClusterIPs, the one of the default family first."""
        second = self.secondary_service_cluster_ip_range
        return (self.service_cluster_ip_range,) if second is None else (self.service_cluster_ip_range, second)
