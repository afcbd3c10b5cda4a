"""Taking a local cluster away: its processes, containers, mounts, network, cgroups and folders, and nothing else.

Everything is found by what it is rather than by what somebody remembered (besides the records): so it also works after
a crash at any point, and again when there is nothing left. Called by `local`, for a whole cluster or one node.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pybernetes.cluster import network, network_egress
from pybernetes.cluster.engine import cni_network
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import ClusterSpec, recorded_processes
from pybernetes.environment.namespace import namespace_inode
from pybernetes.environment.process import Identity, identify, send_signal, wait_gone

_libc = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2
_CNI_RESULTS = Path("/var/lib/cni/results")


async def remove_cluster(spec: ClusterSpec, layout: Layout, keep_data: bool) -> None:
    """Removes the cluster; with `keep_data` what a later `up` starts from stays: store, certificates, images."""
    await kill(recorded_processes(layout).values())
    await asyncio.gather(*(kill_containers(layout, node.name) for node in spec.nodes))
    await kill(_inhabitants(spec, layout))
    unmount_below(layout.run, layout.data)
    await network_egress.remove(spec, layout)
    await network.remove(spec, layout)
    remove_cgroups(layout.cgroup())
    for node in spec.nodes:
        _forget_addresses(spec, node.name)
    await asyncio.to_thread(shutil.rmtree, layout.run, ignore_errors=True)
    if not keep_data:
        await asyncio.to_thread(_remove_data, layout)


def _remove_data(layout: Layout) -> None:
    """The description goes last: without it whoever is asked to finish an interrupted removal would find no cluster."""
    for path in layout.data.iterdir() if layout.data.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(layout.data, ignore_errors=True)


def keep_logs(layout: Layout) -> Path:
    """Moves the logs of a start that failed to where they outlive the cluster, in place of those of the one before."""
    kept = layout.failed_logs
    shutil.rmtree(kept, ignore_errors=True)
    if layout.logs.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        layout.logs.rename(kept)
    return kept


async def remove_running_node(spec: ClusterSpec, layout: Layout, node: str) -> None:
    """What is left of a node whose own processes have ended: its containers, mounts and packet rules."""
    await kill_containers(layout, node)
    unmount_below(layout.node(node).run, layout.node(node).data)
    await network.forget_pods(spec, node)
    _forget_addresses(spec, node)
    remove_cgroups(layout.cgroup(node))
    await asyncio.to_thread(shutil.rmtree, layout.node(node).run, ignore_errors=True)


async def kill(identities: Iterable[Identity]) -> None:
    """Kills, and returns when they are gone."""
    there = [identity for identity in identities if send_signal(identity, signal.SIGKILL)]
    await asyncio.gather(*(wait_gone(identity) for identity in there))


def supervisors_of(layout: Layout) -> list[Identity]:
    """The processes that are, or are about to become, the cluster's supervisor: they tell by their command line."""
    start = ("-m", "pybernetes.cluster.local_supervisor", layout.name)
    found = [pid for pid in _pids() if tuple(_command_line(pid).split("\0")[1:4]) == start]
    return [identity for pid in found if (identity := identify(pid))]


async def kill_containers(layout: Layout, node: str) -> None:
    """Kills the node's containers and their shims. A shim names its engine's socket on its command line."""
    wanted = f"\0{layout.node(node).containerd_socket}\0"
    shims = {pid for pid in _pids() if wanted in (line := _command_line(pid)) and "containerd-shim" in line}
    if shims:
        children = {pid for pid in _pids() if _parent(pid) in shims}
        # The shims go last: they bury their children, which else would keep a pod's process namespace from ending.
        await kill(filter(None, map(identify, children)))
        await kill(filter(None, map(identify, shims)))
    for address in layout.node(node).containerd_state.glob("io.containerd.runtime.v2.task/*/*/address"):
        Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)


def _inhabitants(spec: ClusterSpec, layout: Layout) -> list[Identity]:
    """Processes that live in a namespace or a cgroup of the cluster, whoever started them; never the caller itself."""
    inodes = {namespace_inode(name) for name in spec.namespaces} - {None}
    inside = {pid for pid in _pids() if _network_of(pid) in inodes} if inodes else set()
    for folder in cgroup_folders(layout.cgroup()):
        for procs in folder.rglob("cgroup.procs"):
            with suppress(OSError):
                inside |= {int(line) for line in procs.read_text().split()}
    return [identity for pid in inside - {os.getpid(), 0} if (identity := identify(pid))]


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _network_of(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return None


def unmount_below(*folders: Path) -> None:
    """Unmounts everything in the folders, the deepest first; what is busy vanishes when its last user ends."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    for _ in range(10):
        points = [point for point in _mount_points() if point.startswith(prefixes)]
        if not points:
            return
        for point in sorted(points, key=len, reverse=True):
            _libc.umount2(os.fsencode(point), _MNT_DETACH)


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4].encode().decode("unicode_escape") for line in lines]


def cgroup_folders(path: str) -> list[Path]:
    """Where the cgroup of that path lies in each hierarchy of this host, as far as it is there."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    folders = [Path(fields[1]) / path.lstrip("/") for fields in mounts if fields[2] in ("cgroup", "cgroup2")]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def remove_cgroups(path: str) -> None:
    """Removes the cgroup and all below it, and the ones above that are now empty."""
    for folder in cgroup_folders(path):
        inner = [Path(found) for found, _, _ in os.walk(folder, topdown=False)]
        for each in [*inner, folder.parent]:
            with suppress(OSError):
                each.rmdir()


def join_cgroup(path: str) -> None:
    """Puts the calling process, and so its future children, into a cgroup of one hierarchy, where `down` finds them."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    unified = [Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"]
    for hierarchy in unified or [Path(fields[1]) for fields in mounts if fields[2] == "cgroup"]:
        with suppress(OSError):
            folder = hierarchy / path.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cgroup.procs").write_text(str(os.getpid()))
            return


def _forget_addresses(spec: ClusterSpec, node: str) -> None:
    """What CNI remembers of the node's pods, their loopback interfaces included, which go by the pod's id alone."""
    prefix = f"{cni_network(spec.name, node)}-"
    for path in _CNI_RESULTS.glob(f"{prefix}*"):
        pod = path.name.removeprefix(prefix).rpartition("-")[0]
        path.unlink(missing_ok=True)
        (_CNI_RESULTS / f"cni-loopback-{pod}-lo").unlink(missing_ok=True)
