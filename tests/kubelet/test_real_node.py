"""The kubelet of a real node: containerd in a network namespace of its own runs real containers. Needs root."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pybernetes.api.types.core_v1 import (
    ConfigMap,
    ConfigMapKeySelector,
    ConfigMapProjection,
    ConfigMapVolumeSource,
    Container,
    EmptyDirVolumeSource,
    EnvVar,
    EnvVarSource,
    ExecAction,
    Lifecycle,
    LifecycleHandler,
    Node,
    ObjectFieldSelector,
    Pod,
    PodSpec,
    Probe,
    ProjectedVolumeSource,
    ServiceAccountTokenProjection,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import Client
from pybernetes.cluster import engine, images_debian
from pybernetes.cluster.images import PAUSE
from pybernetes.cluster.images_oci import Image, full_name, layer, write_archive
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.kubelet.assembly import node_kubelet
from pybernetes.kubelet.cri.runtime import CriRuntime
from pybernetes.kubelet.kubelet import Kubelet
from pybernetes.kubelet.logs import LogOptions, read_log
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.simulation import Silence

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("containerd") is None, reason="needs root and containerd"),
]

CIDR = "10.251.7.0/24"


def command(*words: str) -> str:
    """A short command's output."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class RealNode:
    """One containerd in a temporary folder, and a kubelet on it."""

    def __init__(self, folder: Path, api: Any, client: Client) -> None:
        self.folder, self.api, self.client = folder, api, client
        self.name = f"pybk-{uuid.uuid4().hex[:6]}"
        self.socket = folder / "containerd.sock"
        self._engine: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.kubelet: Kubelet | None = None

    async def start_engine(self) -> None:
        command("ip", "netns", "add", self.name)
        command("ip", "-n", self.name, "link", "set", "lo", "up")
        (self.folder / "cni").mkdir()
        self._write_cni()
        text = engine.config(self.folder / "root", self.folder / "state", self.socket, self.folder / "cni")
        config = self.folder / "config.toml"
        config.write_text(text)
        log = (self.folder / "containerd.log").open("wb")
        inside = ("nsenter", f"--net=/run/netns/{self.name}", "--")
        self._engine = await asyncio.create_subprocess_exec(
            *inside, "containerd", "--config", str(config), stdout=log, stderr=log
        )
        log.close()
        async with asyncio.timeout(20):
            while not self.socket.exists():  # noqa: ASYNC110 - containerd tells nobody
                await asyncio.sleep(0.05)
        await self._import()

    def _write_cni(self) -> None:
        addresses = {"type": "host-local", "ranges": [[{"subnet": CIDR}]], "dataDir": str(self.folder / "ipam")}
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": addresses}
        conf = {"cniVersion": "0.4.0", "name": self.name, "plugins": [bridge]}
        (self.folder / "cni" / "10-test.conflist").write_text(json.dumps(conf))

    async def _import(self) -> None:
        busybox = layer(await images_debian.busybox_files())
        pause = Image((PAUSE,), (busybox,), ("/bin/busybox", "sleep", "infinity"))
        archive = self.folder / "images.tar"
        write_archive(archive, [pause, Image((full_name("busybox:1.36"),), (busybox,), ("sh",))])
        await engine.import_archive(self.socket, archive)

    def start_kubelet(self) -> None:
        options = KubeletOptions(
            self.name, "127.0.0.1", self.folder / "kubelet", cgroup_parent=f"/{self.name}", offline=True
        )
        self.runtime = CriRuntime(str(self.socket))
        self.kubelet = node_kubelet(
            options, self.client, self.runtime, clock=SystemClock(), chance=Chance(), recorder=Silence()
        )
        self._task = asyncio.create_task(self.kubelet.run())

    async def stop_kubelet(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.runtime.close()

    async def register(self) -> None:
        await self.api.until(lambda: self.api.get("nodes", self.name, ""))
        await self.client.patch(Node, self.name, "", {"spec": {"podCIDR": CIDR}})

    def seed(self, spec: PodSpec, name: str = "web") -> None:
        spec.node_name = self.name
        meta = ObjectMeta(name=name, namespace="default", uid=str(uuid.uuid4()), labels={"app": name})
        self.api.seed("pods", Pod(metadata=meta, spec=spec))

    async def stop(self) -> None:
        await self.stop_kubelet()
        left = CriRuntime(str(self.socket))
        for pod in await left.pods():
            for box in pod.sandboxes:
                await left.stop_sandbox(box.id)
                await left.remove_sandbox(box.id)
        await left.close()
        if self._engine is not None:
            self._engine.send_signal(signal.SIGTERM)
            await self._engine.wait()
        command("ip", "netns", "del", self.name)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in reversed([mount for mount in mounts if mount.startswith(str(self.folder))]):
            command("umount", "-l", place)
        for hierarchy in Path("/sys/fs/cgroup").iterdir():
            group = hierarchy / self.name
            for path in sorted(group.rglob("*"), reverse=True) if group.is_dir() else ():
                if path.is_dir():
                    path.rmdir()
            if group.is_dir():
                group.rmdir()


@pytest.fixture
async def node(tmp_path: Path, api: Any, client: Client) -> AsyncIterator[RealNode]:
    node = RealNode(tmp_path, api, client)
    await node.start_engine()
    node.start_kubelet()
    await node.register()
    try:
        yield node
    finally:
        await node.stop()


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def status_of(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["status"]["containerStatuses"][0]
    return found


async def log_of(node: RealNode, pod: dict[str, Any], attempt: int = 0) -> str:
    meta = pod["metadata"]
    folder = node.folder / "kubelet/log/pods" / f"default_{meta['name']}_{meta['uid']}"
    chunks = [chunk async for chunk in read_log(folder / "main" / f"{attempt}.log", LogOptions(), lambda: True)]
    return b"".join(chunks).decode()


def busybox(script: str, **more: Any) -> Container:
    return Container(name="main", image="busybox:1.36", command=["sh", "-c", script], **more)


async def test_pod_with_volumes_environment_probe_and_graceful_end(node: RealNode, api: Any) -> None:
    meta = ObjectMeta(name="settings", namespace="default", uid="uid-settings")
    api.seed("configmaps", ConfigMap(metadata=meta, data={"colour": "green"}))
    script = (
        "echo colour=$COLOUR file=$(cat /etc/settings/colour) node=$NODE ip=$IP; hostname; "
        "trap 'echo bye; exit 0' TERM; touch /scratch/ready; while true; do sleep 0.1; done"
    )
    key = ConfigMapKeySelector(name="settings", key="colour")
    container = busybox(
        script,
        env=[
            EnvVar(name="COLOUR", value_from=EnvVarSource(config_map_key_ref=key)),
            EnvVar(name="NODE", value_from=EnvVarSource(field_ref=ObjectFieldSelector(field_path="spec.nodeName"))),
            EnvVar(name="IP", value_from=EnvVarSource(field_ref=ObjectFieldSelector(field_path="status.podIP"))),
        ],
        readiness_probe=Probe(exec=ExecAction(command=["test", "-f", "/scratch/ready"]), period_seconds=1),
        volume_mounts=[
            VolumeMount(name="settings", mount_path="/etc/settings"),
            VolumeMount(name="scratch", mount_path="/scratch"),
        ],
    )
    volumes = [
        Volume(name="settings", config_map=ConfigMapVolumeSource(name="settings")),
        Volume(name="scratch", empty_dir=EmptyDirVolumeSource(medium="Memory")),
    ]
    node.seed(PodSpec(containers=[container], volumes=volumes))
    pod = await api.pod_until("web", is_ready)
    ip = pod["status"]["podIP"]
    assert ip.startswith("10.251.7.")
    text = await log_of(node, pod)
    assert text == f"colour=green file=green node={node.name} ip={ip}\nweb\n"
    api.delete_pod("web")
    await api.until(lambda: api.get("pods", "web") is None)
    last = [obj for what, obj in api.history if what == "DELETED pods"][-1]
    assert status_of(last)["state"]["terminated"]["reason"] == "Completed"
    assert not (node.folder / "kubelet/pods" / pod["metadata"]["uid"]).exists()
    assert await node.runtime.pods() == []


async def test_killed_process_is_seen_and_restarted(node: RealNode, api: Any) -> None:
    node.seed(PodSpec(containers=[busybox("echo $$; exec sleep 1000")]))
    pod = await api.pod_until("web", is_ready)
    assert node.kubelet is not None
    worker = node.kubelet.find("default", "web")
    assert worker is not None
    record = (await node.runtime.pod(pod["metadata"]["uid"])).containers[0]
    tasks = command("ctr", "-a", str(node.socket), "-n", "k8s.io", "tasks", "ls")
    pid = next(int(line.split()[1]) for line in tasks.splitlines() if line.startswith(record.id))
    os.kill(pid, signal.SIGKILL)
    pod = await api.pod_until("web", lambda pod: status_of(pod)["restartCount"] == 1 and is_ready(pod))
    assert status_of(pod)["lastState"]["terminated"]["exitCode"] == 137


async def test_restarted_kubelet_leaves_containers_running(node: RealNode, api: Any) -> None:
    node.seed(PodSpec(containers=[busybox("exec sleep 1000")]))
    pod = await api.pod_until("web", is_ready)
    before = status_of(pod)["containerID"]
    await node.stop_kubelet()
    node.start_kubelet()
    assert node.kubelet is not None
    await api.until(lambda: api.get("pods", "web"))
    api.seed(
        "pods",
        Pod(
            metadata=ObjectMeta(name="other", namespace="default", uid=str(uuid.uuid4())),
            spec=PodSpec(node_name=node.name, containers=[busybox("exec sleep 1000")]),
        ),
    )
    await api.pod_until("other", is_ready)
    assert status_of(api.get("pods", "web"))["containerID"] == before
    assert status_of(api.get("pods", "web"))["restartCount"] == 0


async def test_missing_image_and_failing_command_are_told(node: RealNode, api: Any) -> None:
    node.seed(PodSpec(containers=[Container(name="main", image="localhost:1/none:1")]), "missing")
    node.seed(PodSpec(containers=[busybox("echo broken > /dev/termination-log; exit 3")]), "crash")
    node.seed(
        PodSpec(
            restart_policy="Never",
            containers=[Container(name="main", image="busybox:1.36", command=["/no/such/thing"])],
        ),
        "bad",
    )
    pod = await api.pod_until("crash", lambda pod: "CrashLoopBackOff" in str(pod.get("status")))
    assert status_of(pod)["lastState"]["terminated"]["message"] == "broken\n"
    await api.pod_until("missing", lambda pod: "ErrImagePull" in str(pod.get("status")))
    await api.pod_until("missing", lambda pod: "ImagePullBackOff" in str(pod.get("status")))
    pod = await api.pod_until("bad", lambda pod: pod.get("status", {}).get("phase") == "Failed")
    assert status_of(pod)["state"]["terminated"]["reason"] == "StartError"


async def until_log(node: RealNode, pod: dict[str, Any], text: str) -> None:
    async with asyncio.timeout(20):
        while text not in await log_of(node, pod):  # noqa: ASYNC110 - a container writes when it likes
            await asyncio.sleep(0.05)


async def test_token_and_changed_config_reach_the_container(node: RealNode, api: Any) -> None:
    meta = ObjectMeta(name="settings", namespace="default", uid="uid-settings")
    api.seed("configmaps", ConfigMap(metadata=meta, data={"colour": "green"}))
    sources = [
        VolumeProjection(service_account_token=ServiceAccountTokenProjection(path="token")),
        VolumeProjection(config_map=ConfigMapProjection(name="settings")),
    ]
    script = "while true; do echo $(cat /all/token) $(cat /all/colour) $(cat /one); sleep 0.1; done"
    mounts = [
        VolumeMount(name="all", mount_path="/all", read_only=True),
        VolumeMount(name="all", mount_path="/one", sub_path="colour"),
    ]
    volume = Volume(name="all", projected=ProjectedVolumeSource(sources=sources))
    node.seed(PodSpec(containers=[busybox(script, volume_mounts=mounts)], volumes=[volume]))
    pod = await api.pod_until("web", is_ready)
    await until_log(node, pod, "a-token green green\n")
    await node.stop_kubelet()
    node.start_kubelet()
    assert node.kubelet is not None
    async with asyncio.timeout(20):
        while node.kubelet.find("default", "web") is None:  # noqa: ASYNC110 - nobody else wants to be told
            await asyncio.sleep(0.01)
    await node.client.patch(ConfigMap, "settings", "default", {"data": {"colour": "blue"}})
    await until_log(node, pod, "a-token blue green\n")


async def test_liveness_restarts_and_hooks_and_sidecars_run(node: RealNode, api: Any) -> None:
    handler = LifecycleHandler(exec=ExecAction(command=["sh", "-c", "echo started > /scratch/hook"]))
    stopper = LifecycleHandler(exec=ExecAction(command=["sh", "-c", "echo stopping > /proc/1/fd/1"]))
    scratch = VolumeMount(name="scratch", mount_path="/scratch")
    main = busybox(
        "trap 'exit 0' TERM; cat /scratch/side; while true; do sleep 0.1; done",
        lifecycle=Lifecycle(post_start=handler, pre_stop=stopper),
        liveness_probe=Probe(
            exec=ExecAction(command=["test", "!", "-f", "/scratch/sick"]), period_seconds=1, failure_threshold=1
        ),
        volume_mounts=[scratch],
    )
    side = Container(
        name="side",
        image="busybox:1.36",
        restart_policy="Always",
        command=["sh", "-c", "echo side > /scratch/side; trap 'exit 0' TERM; while true; do sleep 0.1; done"],
        startup_probe=Probe(exec=ExecAction(command=["test", "-f", "/scratch/side"]), period_seconds=1),
        volume_mounts=[scratch],
    )
    volume = Volume(name="scratch", empty_dir=EmptyDirVolumeSource())
    node.seed(PodSpec(containers=[main], init_containers=[side], volumes=[volume]))
    pod = await api.pod_until("web", is_ready)
    place = node.folder / "kubelet/pods" / pod["metadata"]["uid"] / "volumes/kubernetes.io~empty-dir/scratch"
    assert (place / "hook").read_text() == "started\n"
    (place / "sick").touch()
    await api.pod_until("web", lambda pod: "terminated" in status_of(pod)["lastState"])
    (place / "sick").unlink()
    await api.pod_until("web", lambda pod: status_of(pod)["restartCount"] == 1 and is_ready(pod))
    assert await log_of(node, pod) == "side\nstopping\n"
    api.delete_pod("web")
    await api.until(lambda: api.get("pods", "web") is None)
    last = [obj for what, obj in api.history if what == "DELETED pods"][-1]
    ends = [each["state"]["terminated"] for each in last["status"]["initContainerStatuses"]]
    assert [end["exitCode"] for end in ends] == [0]


async def test_pod_whose_sandbox_dies_gets_a_new_one(node: RealNode, api: Any) -> None:
    node.seed(PodSpec(containers=[busybox("exec sleep 1000")], termination_grace_period_seconds=1))
    pod = await api.pod_until("web", is_ready)
    box = (await node.runtime.pod(pod["metadata"]["uid"])).sandboxes[0]
    tasks = command("ctr", "-a", str(node.socket), "-n", "k8s.io", "tasks", "ls")
    os.kill(next(int(line.split()[1]) for line in tasks.splitlines() if line.startswith(box.id)), signal.SIGKILL)
    pod = await api.pod_until("web", lambda pod: status_of(pod)["restartCount"] == 1 and is_ready(pod))
    assert len((await node.runtime.pod(pod["metadata"]["uid"])).sandboxes) >= 1
