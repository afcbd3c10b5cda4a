"""Builds a simulated node: the real kubelet with the simulated runtime. Called by in-process clusters and tests."""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.core_v1 import ObjectReference
from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.decide.node import Machine, Pressure
from pybernetes.kubelet.kit import Kit, Recorder
from pybernetes.kubelet.kubelet import Kubelet
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.simulated import SimulatedRuntime
from pybernetes.kubelet.simulated_kit import SimulatedHooks, SimulatedImages, SimulatedPreparation, SimulatedProber


class Silence:
    """A recorder that tells nobody: events of thousands of simulated nodes would drown everything else."""

    def event(
        self, obj: ApiObject | ObjectReference, type: str, reason: str, message: str, field_path: str = ""
    ) -> None:
        return None


def simulated_kubelet(
    options: KubeletOptions,
    client: Client,
    *,
    clock: Clock,
    chance: Chance,
    recorder: Recorder | None = None,
    runtime: SimulatedRuntime | None = None,
) -> Kubelet:
    """A node without containers; give it the runtime of an earlier one to restart a kubelet only."""
    runtime = runtime or SimulatedRuntime(clock, options.node_name)
    kit = Kit(
        options=options,
        client=client,
        runtime=runtime,
        clock=clock,
        preparation=SimulatedPreparation(),
        images=SimulatedImages(runtime),
        prober=SimulatedProber(runtime),
        hooks=SimulatedHooks(),
        recorder=recorder or Silence(),
    )
    return Kubelet(kit, chance=chance, machine=lambda: (Machine(), Pressure()), on_pod_cidr=runtime.use_pod_cidr)
