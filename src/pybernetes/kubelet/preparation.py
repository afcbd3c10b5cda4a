"""What containers of a real node need: directories, volumes, environment, hosts file, logs; as specs for the runtime.

Implements `kit.Preparation`. `run` keeps volumes up to date while their sources change and tokens grow old.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import EphemeralContainer, Pod
from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.client import Client, Unreachable
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.cgroups import pod_cgroup, remove_pod_cgroup
from pybernetes.kubelet.decide.dns import (
    domain_of,
    host_network_hosts_file,
    hostname_of,
    hosts_file,
    parse_resolv_conf,
    pod_dns,
)
from pybernetes.kubelet.decide.environment import Sources, Unresolvable, environment, expand
from pybernetes.kubelet.decide.fields import Place
from pybernetes.kubelet.decide.node import Machine
from pybernetes.kubelet.decide.observed import HASH_ANNOTATION, AnyContainer, Waiting, container_hash
from pybernetes.kubelet.decide.payload import projection_of
from pybernetes.kubelet.decide.qos import linux_resources, qos_class
from pybernetes.kubelet.decide.resizing import STAMP_ANNOTATION, stamp_of
from pybernetes.kubelet.decide.security import container_security, root_refusal, sandbox_security
from pybernetes.kubelet.decide.times import SECOND, nanoseconds
from pybernetes.kubelet.kit import StartFailure, Target
from pybernetes.kubelet.logs import tail_text
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.references import References
from pybernetes.kubelet.runtime import (
    ContainerRecord,
    ContainerSpec,
    Image,
    LinuxResources,
    Mount,
    PortMapping,
    RuntimeFailure,
    SandboxSpec,
)
from pybernetes.kubelet.sub_path import mount_below
from pybernetes.kubelet.volumes import Volumes

log = logging.getLogger(__name__)

MOUNT_RETRY = 1.0
LONGEST_MESSAGE = 4096
DEFAULT_MESSAGE_PATH = "/dev/termination-log"


@dataclass(frozen=True)
class _Prepared:
    pod: Pod
    paths: dict[str, Path]


class NodePreparation:
    """The files of all pods of this node."""

    def __init__(self, options: KubeletOptions, client: Client, clock: Clock, chance: Chance, machine: Machine) -> None:
        self._options = options
        self._client = client
        self._clock = clock
        self._machine = machine
        self._references = References(client, clock, chance, self._sources_changed)
        self._volumes = Volumes(options, client, clock)
        self._prepared: dict[str, _Prepared] = {}
        self._stale: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Keeps volumes up to date until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._references.run(), name="references")
            tasks.create_task(self._refresh(), name="volumes")

    async def prepare(self, pod: Pod) -> None:
        try:
            sources = await self._sources(pod, ())
            paths = await self._volumes.set_up(pod, sources)
        except Unresolvable as error:
            raise StartFailure(Waiting("ContainerCreating", str(error)), MOUNT_RETRY) from error
        self._prepared[pod.metadata.uid or ""] = _Prepared(pod, paths)
        self._log_directory(pod).mkdir(parents=True, exist_ok=True)
        self._wake.set()

    def changed(self, pod: Pod) -> None:
        """The pod is another one now: its labels and annotations may stand in files."""
        uid = pod.metadata.uid or ""
        known = self._prepared.get(uid)
        if known is None:
            return
        old, new = known.pod.metadata, pod.metadata
        self._prepared[uid] = _Prepared(pod, known.paths)
        if (old.labels, old.annotations) != (new.labels, new.annotations):
            self._sources_changed({uid})

    def sandbox(self, pod: Pod, attempt: int) -> SandboxSpec:
        meta, spec = pod.metadata, pod.spec
        dns = pod_dns(pod, self._options, parse_resolv_conf(_text(self._options.resolv_conf)))
        context = spec.security_context
        return SandboxSpec(
            uid=meta.uid or "",
            namespace=meta.namespace or "",
            name=meta.name or "",
            attempt=attempt,
            hostname=self._hostname(pod),
            log_directory=str(self._log_directory(pod)),
            cgroup_parent=pod_cgroup(self._options.cgroup_parent, qos_class(spec), meta.uid or ""),
            dns_servers=dns.servers,
            dns_searches=dns.searches,
            dns_options=dns.options,
            ports=_host_ports(pod),
            labels=meta.labels,
            annotations=meta.annotations,
            sysctls={each.name: each.value for each in context.sysctls} if context else {},
            host_network=bool(spec.host_network),
            host_pid=bool(spec.host_pid),
            host_ipc=bool(spec.host_ipc),
            share_processes=bool(spec.share_process_namespace),
            security=sandbox_security(pod),
        )

    async def runtime_handler(self, pod: Pod) -> str:
        try:
            return (await self._client.get(RuntimeClass, pod.spec.runtime_class_name or "")).handler
        except (StatusError, Unreachable) as error:
            raise RuntimeFailure(str(error)) from error

    async def container(self, target: Target, attempt: int, image: Image) -> ContainerSpec:
        pod, container = target.pod, target.container
        if (pod.metadata.uid or "") not in self._prepared:
            await self.prepare(pod)
        try:
            sources = await self._sources(pod, (target.pod_ip,) if target.pod_ip else ())
            variables = environment(pod, container, sources)
            mounts = self._mounts(target, attempt, variables)
        except (Unresolvable, OSError) as error:
            raise StartFailure(Waiting("CreateContainerConfigError", str(error))) from error
        security = container_security(pod, container, image)
        if refused := root_refusal(pod, container, security):
            raise StartFailure(refused)
        (self._log_directory(pod) / container.name).mkdir(parents=True, exist_ok=True)
        lifecycle = container.lifecycle
        return ContainerSpec(
            name=container.name,
            attempt=attempt,
            image=image.id,
            user_image=container.image or "",
            command=tuple(expand(word, variables) for word in container.command),
            args=tuple(expand(word, variables) for word in container.args),
            working_dir=container.working_dir or "",
            env=tuple(variables.items()),
            mounts=mounts,
            annotations={
                HASH_ANNOTATION: container_hash(container),
                STAMP_ANNOTATION: stamp_of(container.resources),
            },
            log_path=f"{container.name}/{attempt}.log",
            stdin=bool(container.stdin),
            stdin_once=bool(container.stdin_once),
            tty=bool(container.tty),
            resources=self.resources(pod, container),
            security=security,
            stop_signal=(lifecycle.stop_signal or "") if lifecycle else "",
        )

    def resources(self, pod: Pod, container: AnyContainer) -> LinuxResources:
        return linux_resources(container.resources, qos_class(pod.spec), self._machine.memory)

    def termination_message(self, pod: Pod, container: AnyContainer, record: ContainerRecord) -> str:
        text = _text(self._message_file(pod, container.name, record.attempt), LONGEST_MESSAGE)
        if text or container.termination_message_policy != "FallbackToLogsOnError" or record.exit_code == 0:
            return text[-LONGEST_MESSAGE:]
        path = record.log_path or str(self._log_directory(pod) / container.name / f"{record.attempt}.log")
        return tail_text(Path(path), lines=80, limit=2048)

    async def clean(self, uid: str) -> None:
        self._prepared.pop(uid, None)
        self._references.release(uid)
        await self._volumes.tear_down(uid)
        for logs in self._options.pod_logs.glob(f"*_{uid}"):
            await asyncio.to_thread(shutil.rmtree, logs, True)
        remove_pod_cgroup(self._options.cgroup_parent, uid)

    async def clean_others(self, uids: set[str]) -> None:
        found = {path.name for path in self._options.pods_dir.iterdir()}
        found |= {path.name.rpartition("_")[2] for path in self._options.pod_logs.iterdir()}
        for uid in sorted(found - uids):
            log.info("removing what is left of pod %s", uid)
            await self.clean(uid)

    async def _refresh(self) -> None:
        while True:
            await self._pause()
            now = nanoseconds(self._clock.now())
            old = {uid for uid in self._prepared if 0 < self._volumes.next_renewal(uid) <= now}
            stale, self._stale = self._stale | old, set()
            for uid in sorted(stale & self._prepared.keys()):
                pod = self._prepared[uid].pod
                try:
                    await self._volumes.set_up(pod, await self._sources(pod, ()))
                except Unresolvable as error:
                    log.warning("volumes of pod %s/%s: %s", pod.metadata.namespace, pod.metadata.name, error)

    async def _pause(self) -> None:
        """Until a source changes, or the first token has to be renewed."""
        renewals = [renewal for uid in self._prepared if (renewal := self._volumes.next_renewal(uid))]
        now = nanoseconds(self._clock.now())
        # A renewal that failed is tried again after a while, not at once.
        seconds = max((min(renewals) - now) / SECOND, 10.0) if renewals else None
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    def _sources_changed(self, uids: set[str]) -> None:
        self._stale |= uids & self._prepared.keys()
        self._wake.set()

    async def _sources(self, pod: Pod, pod_ips: tuple[str, ...]) -> Sources:
        machine = self._machine
        place = Place(pod_ips, self._options.node_ip, machine.cpus * 1000, machine.memory, machine.storage)
        return await self._references.sources(pod, place)

    def _hostname(self, pod: Pod) -> str:
        name, domain = hostname_of(pod), domain_of(pod, self._options)
        return f"{name}.{domain}" if domain and pod.spec.set_hostname_as_fqdn else name

    def _log_directory(self, pod: Pod) -> Path:
        meta = pod.metadata
        return self._options.pod_logs / f"{meta.namespace}_{meta.name}_{meta.uid}"

    def _message_file(self, pod: Pod, name: str, attempt: int) -> Path:
        return self._volumes.pod_dir(pod.metadata.uid or "") / "containers" / name / str(attempt)

    def _mounts(self, target: Target, attempt: int, variables: dict[str, str]) -> tuple[Mount, ...]:
        pod, container = target.pod, target.container
        paths = self._prepared[pod.metadata.uid or ""].paths
        # What is made of API data is the kubelet's alone to write.
        api_data = {volume.name for volume in pod.spec.volumes if projection_of(volume) is not None}
        mounts: list[Mount] = []
        parts = self._volumes.pod_dir(pod.metadata.uid or "") / "volume-subpaths"
        for number, wanted in enumerate(container.volume_mounts):
            if wanted.name not in paths:
                raise Unresolvable(f'volume "{wanted.name}" is not there')
            path = paths[wanted.name]
            sub_path = expand(wanted.sub_path_expr, variables) if wanted.sub_path_expr else wanted.sub_path
            if sub_path:
                path = mount_below(path, sub_path, parts / wanted.name / container.name / str(number))
            propagation = wanted.mount_propagation or "None"
            read_only = bool(wanted.read_only) or wanted.name in api_data
            mounts.append(Mount(wanted.mount_path, str(path), read_only, propagation))
        if not any(mount.container_path == "/etc/hosts" for mount in mounts):
            mounts.append(Mount("/etc/hosts", str(self._write_hosts(target))))
        if not isinstance(container, EphemeralContainer):
            message = self._message_file(pod, container.name, attempt)
            message.parent.mkdir(parents=True, exist_ok=True)
            message.touch()
            message.chmod(0o666)
            mounts.append(Mount(container.termination_message_path or DEFAULT_MESSAGE_PATH, str(message)))
        return tuple(mounts)

    def _write_hosts(self, target: Target) -> Path:
        pod = target.pod
        if pod.spec.host_network:
            text = host_network_hosts_file(pod, _text(Path("/etc/hosts")))
        else:
            text = hosts_file(pod, (target.pod_ip,), self._options)
        path = self._volumes.pod_dir(pod.metadata.uid or "") / "etc-hosts"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path


def _host_ports(pod: Pod) -> tuple[PortMapping, ...]:
    if pod.spec.host_network:
        return ()
    return tuple(
        PortMapping(port.container_port, port.host_port, port.protocol or "TCP", port.host_ip or "")
        for container in (*pod.spec.init_containers, *pod.spec.containers)
        for port in container.ports
        if port.host_port
    )


def _text(path: Path | None, at_most: int = 1 << 20) -> str:
    """The end of a file, `at_most` so many bytes: containers write some of them, as much as they please."""
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - at_most, 0))
            return file.read(at_most).decode(errors="replace")
    except OSError:
        return ""
