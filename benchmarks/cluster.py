"""A local cluster's speed and size beside the marks: `python benchmarks/cluster.py [--runs N]`, as root, images built.

Starts a cluster of its own (`bench1`: one control-plane node, six workers, no way out), applies Deployments of 1, 4 and
20 pods, lets it idle, and removes it, whatever happens. About two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import Pod
from pybernetes.cli.status import proportional_size
from pybernetes.cli.up import bring_up
from pybernetes.client import Client
from pybernetes.cluster import local
from pybernetes.cluster.connection import connected
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import Wishes, recorded_processes

NAME = "bench1"
SIZES = (1, 4, 20)
SETTLE_SECONDS = 15.0
IDLE_SECONDS = 20.0
# Work -> unit, what the original needs (with a single node), what is to be reached.
MARKS: dict[str, tuple[str, float | None, float]] = {
    "pyb up until all nodes are Ready": ("s", None, 8.0),
    "apply until Ready, 1 pod": ("s", 0.85, 0.8),
    "apply until Ready, 4 pods": ("s", 1.5, 1.4),
    "apply until Ready, 20 pods": ("s", 5.0, 4.8),
    "pyb down": ("s", None, 5.0),
    "idle, share of one core": ("%", None, 3.0),
    "idle, memory of all": ("MB", 660, 700),
}


def deployment(replicas: int) -> dict[str, Any]:
    """The walkthrough's Deployment, under a name of its own."""
    labels = {"app": f"bench-{replicas}"}
    container = {"name": "nginx", "image": "nginx:1.7.9", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": labels["app"], "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


async def apply_until_ready(client: Client, replicas: int) -> float:
    """Seconds from the start of `kubectl apply` until all pods are Ready; they are gone again afterwards."""
    wanted, selector = deployment(replicas), f"app=bench-{replicas}"
    since = (await client.list(Pod, "default")).resource_version
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_kubectl_apply(wanted))
        await _watch(client, selector, since, lambda pods: sum(map(_is_ready, pods.values())) == replicas)
    seconds = time.perf_counter() - began
    since = (await client.list(Pod, "default")).resource_version
    await client.delete(Deployment, f"bench-{replicas}", "default")
    await _watch(client, selector, since, lambda pods: pods.gone == replicas)
    return seconds


class _Pods(dict[str, Pod]):
    """The pods that a watch has shown, and how many of them went."""

    gone = 0


async def _watch(client: Client, selector: str, since: str, is_done: Callable[[_Pods], bool]) -> None:
    pods = _Pods()
    async with asyncio.timeout(120):
        async for event in client.watch(Pod, "default", resource_version=since, label_selector=selector):
            name = event.object.metadata.name or ""
            if event.type == "DELETED":
                pods.pop(name, None)
                pods.gone += 1
            elif event.type != "BOOKMARK":
                pods[name] = event.object
            if is_done(pods):
                return


def _is_ready(pod: Pod) -> bool:
    return any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions)


async def _kubectl_apply(obj: dict[str, Any]) -> None:
    kubectl = (
        [found] if (found := shutil.which("kubectl")) else [sys.executable, "-m", "pybernetes.cli.main", "kubectl"]
    )
    process = await asyncio.create_subprocess_exec(
        *(*kubectl, "apply", "-f", "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "KUBECONFIG": str(Layout(NAME).kubeconfig("admin"))},
    )
    await process.communicate(json.dumps(obj).encode())
    if process.returncode:
        raise RuntimeError("kubectl apply failed")


@dataclass(frozen=True)
class Sample:
    """A process at one moment: seconds of CPU used, bytes of memory."""

    cpu: float
    memory: int


def sample() -> dict[str, Sample]:
    """All processes of the cluster that are ours or containerd's, by name."""
    samples = {}
    for name, identity in recorded_processes(Layout(NAME)).items():
        fields = Path(f"/proc/{identity.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        samples[name] = Sample(cpu, proportional_size(identity.pid))
    return samples


async def idle() -> dict[str, float]:
    """CPU and memory of a cluster that has nothing to do, containerd apart."""
    await asyncio.sleep(SETTLE_SECONDS)
    before = sample()
    await asyncio.sleep(IDLE_SECONDS)
    after = sample()
    print("\n| process | % of a core | MB |\n|---|---|---|")
    shares = {name: 100 * (after[name].cpu - before[name].cpu) / IDLE_SECONDS for name in after if name in before}
    for name in sorted(shares):
        print(f"| {name} | {shares[name]:.2f} | {after[name].memory / 1e6:.0f} |")
    own = [name for name in shares if not name.startswith("containerd")]
    return {
        "idle, share of one core": sum(shares[name] for name in own),
        "idle, memory of all": sum(after[name].memory for name in own) / 1e6,
    }


async def measure(runs: int) -> dict[str, float]:
    """All figures, the best of `runs` where a run is short."""
    figures: dict[str, float] = {}
    began = time.perf_counter()
    await bring_up(NAME, Wishes(egress=False), lambda _text: None)
    figures["pyb up until all nodes are Ready"] = time.perf_counter() - began
    async with connected(Layout(NAME).kubeconfig("admin"), "benchmark") as client:
        # The first pod of a node costs more; that is nobody's measure.
        await apply_until_ready(client, SIZES[-1])
        for size in SIZES:
            found = [await apply_until_ready(client, size) for _ in range(runs)]
            figures[f"apply until Ready, {size} pod{'s' if size > 1 else ''}"] = min(found)
            print(f"{size} pods: {', '.join(f'{each:.2f} s' for each in found)}", flush=True)
    figures |= await idle()
    return figures


async def main(runs: int) -> None:
    if await local.down(NAME):
        print(f'removed an older cluster "{NAME}"')
    figures: dict[str, float] = {}
    try:
        figures = await measure(runs)
    finally:
        began = time.perf_counter()
        await local.down(NAME)
    figures["pyb down"] = time.perf_counter() - began
    print("\n| work | original | reach | measured | |\n|---|---|---|---|---|")
    for work, (unit, original, reach) in MARKS.items():
        verdict = "reached" if figures[work] <= reach else "not reached"
        print(f"| {work} ({unit}) | {original or '-'} | {reach:g} | {figures[work]:.2f} | {verdict} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    asyncio.run(main(parser.parse_args().runs))
