"""What every cloud controller is given. Built by the composition root or a test, read by the constructors."""

from __future__ import annotations

from dataclasses import dataclass

from pybernetes.client import Client
from pybernetes.cloud.provider import CloudProvider
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import Informers


@dataclass(frozen=True)
class CloudContext:
    """The surroundings; `cluster_cidr` is the range that routes are kept for."""

    client: Client
    informers: Informers
    clock: Clock
    provider: CloudProvider
    cluster_cidr: str = ""
