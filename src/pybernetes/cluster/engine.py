"""The container engine of a node: a containerd of its own, in the node's namespace; all share the images' layers.

`config` is the text of its configuration (pure); `prepare` writes it and gives the node a root folder seeded with the
images; `command` is what the supervisor runs. `ensure_template` imports archives once for all nodes of all clusters.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pybernetes.cluster.images import PAUSE
from pybernetes.cluster.images_oci import image_names
from pybernetes.cluster.layout import CNI_BINARIES, NodeLayout
from pybernetes.cluster.state import ClusterError, write_whole
from pybernetes.environment.process import CommandFailed, Readiness, run

NAMESPACE = "k8s.io"
# A collection more often costs an idle engine nothing and keeps its heap small.
ENVIRONMENT: Mapping[str, str] = {"GOGC": "50", "GOMEMLIMIT": "64MiB", "GOMAXPROCS": "2"}
_DISABLED = (
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.native",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.internal.v1.opt",
    "io.containerd.internal.v1.restart",
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.monitor.v1.cgroups",
)
_CRI = "io.containerd.grpc.v1.cri"
_SNAPSHOTS = Path("io.containerd.snapshotter.v1.overlayfs/snapshots")
# Beside a node's root: the name of the template that it was made from.
_MARK = "containerd.images"
# What is killed on the way leaves no engine behind.
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
_BLOBS = Path("io.containerd.content.v1.content/blobs")


def config(root: Path, state: Path, socket: Path, cni: Path | None = None) -> str:
    """containerd's configuration. With no `cni` folder it serves no CRI: enough to import images."""
    disabled = [*_DISABLED, *([] if cni else [_CRI])]
    lines = [
        "version = 2",
        f"root = {json.dumps(str(root))}",
        f"state = {json.dumps(str(state))}",
        f"disabled_plugins = {json.dumps(disabled)}",
        "[grpc]",
        f"  address = {json.dumps(str(socket))}",
        "[debug]",
        '  level = "warn"',
    ]
    return "\n".join(lines + (_cri_lines(cni, state) if cni else [])) + "\n"


def _cri_lines(cni: Path, state: Path) -> list[str]:
    """No CAP_SYS_RESOURCE is assumed, hence restrict_oom_score_adj; the network namespaces of pods lie in the state
    folder, so that removing the node finds them."""
    return [
        f'[plugins."{_CRI}"]',
        f"  sandbox_image = {json.dumps(PAUSE)}",
        '  stream_server_address = "127.0.0.1"',
        '  stream_server_port = "0"',
        "  restrict_oom_score_adj = true",
        "  disable_hugetlb_controller = true",
        "  tolerate_missing_hugetlb_controller = true",
        "  netns_mounts_under_state_dir = true",
        f'[plugins."{_CRI}".containerd]',
        '  snapshotter = "overlayfs"',
        '  default_runtime_name = "runc"',
        f'[plugins."{_CRI}".containerd.runtimes.runc]',
        '  runtime_type = "io.containerd.runc.v2"',
        f'[plugins."{_CRI}".containerd.runtimes.runc.options]',
        "  SystemdCgroup = false",
        f"  Root = {json.dumps(str(state / 'runc'))}",
        f'[plugins."{_CRI}".cni]',
        f"  bin_dir = {json.dumps(str(CNI_BINARIES))}",
        f"  conf_dir = {json.dumps(str(cni))}",
    ]


def command(node: NodeLayout) -> tuple[str, ...]:
    """What runs the node's containerd; it says READY=1 to NOTIFY_SOCKET when its socket answers."""
    return ("containerd", "--config", str(node.containerd_config))


def prepare(node: NodeLayout, template: Path | None) -> None:
    """Writes the configuration, and makes the root folder out of the template unless the node has one of it already.

    No container of the node may be running: a root with other images is thrown away with what it knew of containers.
    """
    for folder in (node.run, node.containerd_state, node.cni, node.data):
        folder.mkdir(parents=True, exist_ok=True)
    text = config(node.containerd_root, node.containerd_state, node.containerd_socket, node.cni)
    node.containerd_config.write_text(text)
    node.containerd_socket.unlink(missing_ok=True)
    mark = node.data / _MARK
    if template is None or (mark.exists() and mark.read_text() == template.name):
        return
    mark.unlink(missing_ok=True)
    shutil.rmtree(node.containerd_root, ignore_errors=True)
    seed(template, node.containerd_root)
    mark.write_text(template.name)


def seed(template: Path, root: Path) -> None:
    """A containerd root with the template's images at hardly any cost: unpacked layers are links into the template
    (they are read-only lower folders of an overlay), blobs are hard links, databases are copies."""
    root.mkdir(parents=True)
    for folder, names, files in os.walk(template):
        relative = Path(folder).relative_to(template)
        (root / relative).mkdir(exist_ok=True)
        if relative == _SNAPSHOTS:
            for name in names:
                (root / relative / name).symlink_to((Path(folder) / name).resolve())
            names.clear()
        for name in files:
            source, target = Path(folder) / name, root / relative / name
            if relative.is_relative_to(_BLOBS):
                os.link(source, target)
            else:
                shutil.copyfile(source, target)


async def ensure_template(folder: Path, archives: Sequence[Path], say: Callable[[str], None]) -> Path:
    """A containerd root that holds the images of the archives, made in `folder` once. Raises ClusterError.

    It starts from the latest there is, whose unpacked layers it shares.
    """
    digest = hashlib.sha256("".join(path.name for path in archives).encode()).hexdigest()[:16]
    template = folder / f"engine-{digest}"
    if template.exists():
        return template
    say("importing the images into the container engine")
    fresh = folder / f".engine-{digest}"
    await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
    earlier = max(folder.glob("engine-*"), key=lambda path: path.stat().st_mtime_ns, default=None)
    if earlier is not None:
        await asyncio.to_thread(seed, earlier, fresh / "root")
    try:
        await _import(fresh, archives)
    except ClusterError:
        # Its log stays; what was unpacked would only fill the disk.
        await asyncio.to_thread(shutil.rmtree, fresh / "root", ignore_errors=True)
        raise
    (fresh / "root").rename(template)
    await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
    return template


def prune_templates(folder: Path, newest: Path, nodes: Iterable[NodeLayout]) -> None:
    """Removes the templates on which neither the newest one nor any node leans, directly or through another."""
    nodes = list(nodes)
    marks = [node.data / _MARK for node in nodes]
    needed = {newest.name} | {mark.read_text() for mark in marks if mark.exists()}
    for root in [folder / name for name in needed] + [node.containerd_root for node in nodes]:
        links = (path for path in (root / _SNAPSHOTS).glob("*") if path.is_symlink())
        needed |= {link.readlink().relative_to(folder).parts[0] for link in links}
    for template in folder.glob("engine-*"):
        if template.name not in needed:
            shutil.rmtree(template, ignore_errors=True)


async def _import(folder: Path, archives: Sequence[Path]) -> None:
    """Runs a containerd for as long as the import takes."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "containerd.sock"
    settings = folder / "containerd.toml"
    write_whole(settings, config(folder / "root", folder / "state", socket).encode())
    readiness = Readiness(folder / "notify.sock")
    log = await asyncio.to_thread(open, folder / "log", "wb")
    try:
        daemon = await asyncio.create_subprocess_exec(
            *_ENDS_WITH_US, "containerd", "--config", str(settings),
            stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(readiness.path)},
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                await readiness.wait()
            for archive in archives:
                await import_archive(socket, archive)
            await _forget_others(socket, {name for archive in archives for name in image_names(archive)})
        finally:
            daemon.terminate()
            await daemon.wait()
    except (CommandFailed, TimeoutError, FileNotFoundError) as error:
        raise ClusterError(f"containerd cannot import the images: {error}; its log is {folder / 'log'}") from error
    finally:
        log.close()
        readiness.close()


async def _forget_others(socket: Path, names: set[str]) -> None:
    """Removes the images of an earlier template that are no more, with their layers."""
    ctr = ["ctr", "--address", str(socket), "--namespace", NAMESPACE, "images"]
    others = set((await run([*ctr, "ls", "-q"])).split()) - names
    if others:
        await run([*ctr, "rm", "--sync", *sorted(others)])


async def import_archive(socket: Path, archive: Path) -> None:
    """Imports and unpacks the images of an archive into a running containerd. Raises CommandFailed."""
    await run(["ctr", "--address", str(socket), "--namespace", NAMESPACE, "images", "import", str(archive)])


def write_cni_config(node: NodeLayout, cluster: str, name: str, pod_cidr: str) -> None:
    """Gives the node's pods their network as soon as the node's pod CIDR is known; containerd watches the folder.

    There is no masquerading here: within the cluster a pod's address is what others see.
    """
    address_management = {
        "type": "host-local",
        "ranges": [[{"subnet": pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(node.cni_addresses),
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": address_management,
    }
    port_map = {"type": "portmap", "capabilities": {"portMappings": True}}
    conf = {"cniVersion": "0.4.0", "name": cni_network(cluster, name), "plugins": [bridge, port_map]}
    data = json.dumps(conf, indent=1).encode()
    target = node.cni / "10-pybernetes.conflist"
    node.cni.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_bytes() != data:
        write_whole(target, data)


def cni_network(cluster: str, node: str) -> str:
    """The network's name in CNI's own records; the dots keep clusters apart, since no name contains one."""
    return f"pyb.{cluster}.{node}"
