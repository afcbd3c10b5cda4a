"""What a kube-proxy is told at its start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProxyOptions:
    """`mode` is `iptables` or `userspace`. Listening addresses are `host:port`; an empty one is not served."""

    node_name: str
    node_ip: str = ""
    cluster_cidr: str = ""
    mode: str = "iptables"
    masquerade_all: bool = False
    # Seconds that a sync waits for the previous one under load; much less when syncs are quick.
    min_sync_period: float = 1.0
    healthz_bind_address: str = "0.0.0.0:10256"
    metrics_bind_address: str = "127.0.0.1:10249"
    udp_idle_timeout: float = 60.0
