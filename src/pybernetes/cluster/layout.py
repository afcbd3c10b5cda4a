"""Where everything of a local cluster lies: what survives a reboot under `data`, what does not under `run`.

Paths only, nothing is read or written here. Used by every module of the local cluster and by `component_commands`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path("/var/lib/pybernetes")
RUN = Path("/run/pybernetes")
CNI_BINARIES = Path("/usr/lib/cni")


@dataclass(frozen=True)
class NodeLayout:
    """The folders of one node."""

    data: Path
    run: Path

    @property
    def containerd_root(self) -> Path:
        return self.data / "containerd"

    @property
    def containerd_state(self) -> Path:
        return self.run / "containerd"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def containerd_config(self) -> Path:
        return self.run / "containerd.toml"

    @property
    def cni(self) -> Path:
        """Folder of the node's CNI configuration; addresses handed out are remembered in `data`."""
        return self.data / "cni" / "net.d"

    @property
    def cni_addresses(self) -> Path:
        return self.run / "cni"

    @property
    def kubelet(self) -> Path:
        return self.data / "kubelet"

    @property
    def pod_logs(self) -> Path:
        return self.data / "pods"


@dataclass(frozen=True)
class Layout:
    """The folders of one cluster."""

    name: str
    data_base: Path = DATA
    run_base: Path = RUN

    @property
    def data(self) -> Path:
        return self.data_base / "clusters" / self.name

    @property
    def run(self) -> Path:
        return self.run_base / self.name

    @property
    def spec(self) -> Path:
        return self.data / "cluster.json"

    @property
    def pki(self) -> Path:
        return self.data / "pki"

    def kubeconfig(self, component: str) -> Path:
        """The kubeconfig of a component, such as `scheduler` or `kubelet-worker-1`, or of the `admin`."""
        return self.data / "kubeconfig" / f"{component}.yaml"

    @property
    def store(self) -> Path:
        return self.data / "store"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def failed_logs(self) -> Path:
        """The logs of the last start that failed and of which nothing else is left; `down` removes them."""
        return self.data_base / "failed" / self.name

    @property
    def lock(self) -> Path:
        return self.run_base / f"{self.name}.lock"

    @property
    def network_record(self) -> Path:
        """What was changed in the host's own network; beside, not in, `run`, so that clusters can see one another's."""
        return self.run_base / f"{self.name}.network.json"

    @property
    def process_records(self) -> Path:
        return self.run / "processes"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def images(self) -> Path:
        """Shared by all clusters."""
        return self.data_base / "images"

    def node(self, name: str) -> NodeLayout:
        return NodeLayout(self.data / "nodes" / name, self.run / "nodes" / name)

    def cgroup(self, node: str = "") -> str:
        """The cgroup under which a node's pods go (kubelet's cgroup root), or the cluster's with no node."""
        return f"/pybernetes/{self.name}/{node}".rstrip("/")
