"""What the cluster DNS is told at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TTL = 5  # seconds that a client may keep an answer about the cluster


@dataclass(frozen=True)
class DnsOptions:
    """Port 0 lets the system choose for DNS, and means not served for the others."""

    cluster_domain: str = "cluster.local"
    bind_address: str = "0.0.0.0"
    port: int = 53
    health_port: int = 8080
    ready_port: int = 8181
    metrics_port: int = 9153
    # Where names outside of the cluster are asked: `address` or `address:port`; those of `resolv_conf` when empty.
    upstreams: tuple[str, ...] = ()
    resolv_conf: Path = Path("/etc/resolv.conf")
