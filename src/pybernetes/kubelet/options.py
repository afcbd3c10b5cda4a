"""What a kubelet is told when it starts; flags and files become this value in the composition root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pybernetes.api.types.core_v1 import Taint

KUBELET_VERSION = "v1.36.2"


@dataclass(frozen=True)
class ServerFiles:
    """Where the server's certificate, its key and the authority that signs its callers are."""

    certificate: Path
    key: Path
    client_ca: Path
    # Common names that may call; empty: everyone whom the authority has signed, other kubelets included.
    allowed_names: tuple[str, ...] = ("kube-apiserver-kubelet-client",)


@dataclass(frozen=True)
class KubeletOptions:
    """One node. Directories are made on demand; `root_dir` holds pods, plug-ins and, unless named, the logs."""

    node_name: str
    node_ip: str
    root_dir: Path
    log_dir: Path | None = None
    # On a tmpfs, so that secrets and tokens never reach a disk; below `root_dir` when not told.
    secret_dir: Path | None = None
    hostname: str = ""
    cluster_dns: tuple[str, ...] = ("10.96.0.10",)
    cluster_domain: str = "cluster.local"
    resolv_conf: Path | None = Path("/etc/resolv.conf")
    max_pods: int = 110
    cpu: str = ""  # quantities that replace what the machine has
    memory: str = ""
    ephemeral_storage: str = ""
    register_with_taints: tuple[Taint, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    provider_id: str = ""
    external_cloud_provider: bool = False
    cgroup_parent: str = ""
    listen_address: str = "0.0.0.0"
    port: int = 10250
    server: ServerFiles | None = None
    lease_seconds: int = 40
    lease_interval: float = 10.0
    status_interval: float = 300.0
    # No registry can be reached: images that the node has are good enough even where the policy says Always.
    offline: bool = False
    simulated: bool = False
    # Pods need addresses: nothing is started before the node has its pod CIDR.
    wait_for_pod_cidr: bool = True

    @property
    def pod_logs(self) -> Path:
        """Where the directories of the pods' logs are."""
        return self.log_dir or self.root_dir / "log" / "pods"

    @property
    def pods_dir(self) -> Path:
        return self.root_dir / "pods"
