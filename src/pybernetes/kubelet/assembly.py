"""Builds the kubelet of a real node: CRI runtime, files, probes. The composition root calls it inside the namespace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.images import ImagePuller
from pybernetes.kubelet.kit import Kit, Recorder
from pybernetes.kubelet.kubelet import Kubelet
from pybernetes.kubelet.machine import LinuxMachine
from pybernetes.kubelet.mounting import is_in_memory, mount_tmpfs
from pybernetes.kubelet.network_probes import NetworkProber, NodeHooks
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.preparation import NodePreparation
from pybernetes.kubelet.runtime import ContainerRuntime

log = logging.getLogger(__name__)


def node_kubelet(  # noqa: PLR0913 - the places where a node meets the world
    options: KubeletOptions,
    client: Client,
    runtime: ContainerRuntime,
    *,
    clock: Clock,
    chance: Chance,
    recorder: Recorder,
    on_pod_cidr: Callable[[str], None] | None = None,
) -> Kubelet:
    """A kubelet of this machine; `runtime` is usually a `cri.runtime.CriRuntime`."""
    options.pods_dir.mkdir(parents=True, exist_ok=True)
    options.pod_logs.mkdir(parents=True, exist_ok=True)
    # Files in volumes have the modes that pods want; the way to them is for the kubelet and the runtime alone.
    options.pods_dir.chmod(0o750)
    if options.secret_dir is not None:
        _make_secret_dir(options.secret_dir)
    machine = LinuxMachine(options.root_dir)
    facts, _ = machine()
    kit = Kit(
        options=options,
        client=client,
        runtime=runtime,
        clock=clock,
        preparation=NodePreparation(options, client, clock, chance, facts),
        images=ImagePuller(options, client, runtime, clock, recorder),
        prober=NetworkProber(runtime),
        hooks=NodeHooks(runtime),
        recorder=recorder,
    )
    return Kubelet(kit, chance=chance, machine=machine, on_pod_cidr=on_pod_cidr)


def _make_secret_dir(place: Path) -> None:
    """A folder in memory for the kubelet alone; not every machine has its `/run` in memory."""
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    if is_in_memory(place):
        return
    try:
        mount_tmpfs(place, 0, mode=0o700)
    except OSError as error:
        log.warning("secrets of pods lie on a disk: %s", error)
