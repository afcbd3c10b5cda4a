"""A whole kubelet with the simulated runtime against a small API server, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pybernetes.api.types.core_v1 import Container, HTTPGetAction, Node, Pod, PodSpec, Probe
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.kubelet.kubelet import Kubelet
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.simulated import ANNOTATION, SimulatedRuntime
from pybernetes.kubelet.simulation import simulated_kubelet


class Cluster:
    """One simulated node and its API server."""

    def __init__(self, api: Any, client: Client, clock: LoopClock) -> None:
        self.api, self.client, self.clock = api, client, clock
        self.runtime = SimulatedRuntime(clock, "node-1")
        self.options = KubeletOptions("node-1", "10.0.0.1", Path("/nowhere"), simulated=True)

    def kubelet(self) -> Kubelet:
        return simulated_kubelet(self.options, self.client, clock=self.clock, chance=Chance(1), runtime=self.runtime)

    @asynccontextmanager
    async def running(self) -> Any:
        task = asyncio.create_task(self.kubelet().run())
        await self.api.until(lambda: self.api.get("nodes", "node-1", ""))
        node = self.api.get("nodes", "node-1", "")
        if not node["spec"].get("podCIDR"):
            await self.client.patch(Node, "node-1", "", {"spec": {"podCIDR": "10.244.1.0/24"}})
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def seed(self, script: str = "", **spec: Any) -> None:
        spec.setdefault("containers", [Container(name="web", image="nginx")])
        meta = ObjectMeta(name="web", namespace="default", uid="uid-web", annotations={ANNOTATION: script})
        self.api.seed("pods", Pod(metadata=meta, spec=PodSpec(node_name="node-1", **spec)))

    async def state(self, reason: str) -> dict[str, Any]:
        """The pod once its container waits or has ended for this reason."""
        pod: dict[str, Any] = await self.api.pod_until("web", lambda pod: reason in reasons(pod))
        return pod


def reasons(pod: dict[str, Any]) -> list[str]:
    states = [each["state"] for each in pod.get("status", {}).get("containerStatuses", [])]
    return [detail.get("reason", name) for state in states for name, detail in state.items()]


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


Story = Callable[[Cluster], Awaitable[None]]


@pytest.fixture
def play(api: Any, client: Client, clock: LoopClock) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        async def main() -> None:
            cluster = Cluster(api, client, clock)
            async with cluster.running():
                await story(cluster)

        run_virtual(main())

    return run


def test_node_registers_and_renews_its_lease(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        lease = await api.until(lambda: api.get("leases", "node-1", "kube-node-lease"))
        first = lease["spec"]["renewTime"]
        await api.until(lambda: api.get("leases", "node-1", "kube-node-lease")["spec"]["renewTime"] != first)

    play(story)
    node = api.get("nodes", "node-1", "")
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "node-1"
    conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]}
    assert conditions == {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.2"


def test_pod_runs_with_an_address_and_is_ready(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed()
        await api.pod_until("web", is_ready)

    play(story)
    status = api.get("pods", "web")["status"]
    assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "10.244.1.2", "10.0.0.1")
    assert status["qosClass"] == "BestEffort"
    assert status["containerStatuses"][0]["restartCount"] == 0


def test_deleted_pod_ends_gracefully_and_goes(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed("term=5s")
        await api.pod_until("web", is_ready)
        begun = cluster.clock.monotonic()
        api.delete_pod("web")
        await api.until(lambda: api.get("pods", "web") is None)
        assert cluster.clock.monotonic() - begun == pytest.approx(5, abs=0.1)
        assert await cluster.runtime.pods() == []

    play(story)
    last = [obj for what, obj in api.history if what == "DELETED pods"][-1]
    assert last["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_crashing_container_backs_off_ten_then_twenty_seconds(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed("exit=1 after=1s")
        pod = await cluster.state("CrashLoopBackOff")
        status = pod["status"]["containerStatuses"][0]
        assert status["restartCount"] == 1
        assert status["lastState"]["terminated"]["exitCode"] == 1
        text = "back-off 10s restarting failed container=web pod=web_default(uid-web)"
        assert status["state"]["waiting"]["message"] == text
        await api.pod_until("web", lambda pod: "back-off 20s" in str(pod["status"]["containerStatuses"]))

    play(story)


def test_pod_that_never_restarts_succeeds_or_fails(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed("exit=3 after=1s", restart_policy="Never")
        await api.pod_until("web", lambda pod: pod.get("status", {}).get("phase") == "Failed")

    play(story)
    assert reasons(api.get("pods", "web")) == ["Error"]


def test_init_containers_run_in_order_before_the_others(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        init = [Container(name="one", image="x"), Container(name="two", image="x")]
        cluster.seed("one:exit=0 one:after=2s two:exit=0 two:after=3s", init_containers=init)
        await cluster.state("PodInitializing")
        await api.pod_until("web", is_ready)

    play(story)
    one, two = api.get("pods", "web")["status"]["initContainerStatuses"]
    web = api.get("pods", "web")["status"]["containerStatuses"][0]
    assert one["state"]["terminated"]["finishedAt"] == two["state"]["terminated"]["startedAt"]
    assert two["state"]["terminated"]["finishedAt"] == web["state"]["running"]["startedAt"]


def test_image_that_cannot_be_pulled_is_told(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed("pull=fail")
        await cluster.state("ErrImagePull")

    play(story)
    assert api.get("pods", "web")["status"]["phase"] == "Pending"


def test_readiness_probe_decides_about_ready(play: Any, api: Any) -> None:
    probe = Probe(http_get=HTTPGetAction(port=80), period_seconds=1)

    async def story(cluster: Cluster) -> None:
        cluster.seed("ready=4s", containers=[Container(name="web", image="x", readiness_probe=probe)])
        await api.pod_until("web", lambda pod: "running" in reasons(pod))
        assert not is_ready(api.get("pods", "web"))
        await api.pod_until("web", is_ready)

    play(story)


def test_killed_container_comes_back_at_once(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed()
        await api.pod_until("web", is_ready)
        cluster.runtime.kill("uid-web", "web")
        await api.pod_until("web", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        await api.pod_until("web", is_ready)

    play(story)
    last = api.get("pods", "web")["status"]["containerStatuses"][0]["lastState"]
    assert last["terminated"]["exitCode"] == 137


def test_restarted_kubelet_adopts_what_runs_and_ends_what_nobody_wants(api: Any, client: Client, clock: Any) -> None:
    async def main() -> None:
        cluster = Cluster(api, client, clock)
        async with cluster.running():
            cluster.seed()
            api.seed(
                "pods",
                Pod(
                    metadata=ObjectMeta(name="gone", namespace="default", uid="uid-gone"),
                    spec=PodSpec(node_name="node-1", containers=[Container(name="c", image="x")]),
                ),
            )
            await api.pod_until("web", is_ready)
            await api.pod_until("gone", is_ready)
        api.delete_pod("gone", grace=0)
        before = await cluster.runtime.pod("uid-web")
        async with cluster.running():
            while len(await cluster.runtime.pods()) > 1:  # noqa: ASYNC110 - time is virtual
                await asyncio.sleep(1)
            assert (await cluster.runtime.pod("uid-web")).containers == before.containers

    run_virtual(main())


def test_sidecar_outlives_the_main_container(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        side = [Container(name="side", image="x", restart_policy="Always")]
        cluster.seed("web:exit=0 web:after=5s", init_containers=side, restart_policy="Never")
        await api.pod_until("web", lambda pod: pod.get("status", {}).get("phase") == "Succeeded")

    play(story)
    side = api.get("pods", "web")["status"]["initContainerStatuses"][0]
    assert "terminated" in side["state"]


def test_active_deadline_fails_the_pod(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed(active_deadline_seconds=20)
        await api.pod_until("web", lambda pod: pod.get("status", {}).get("phase") == "Failed")

    play(story)
    assert api.get("pods", "web")["status"]["reason"] == "DeadlineExceeded"


def test_node_that_was_given_up_reports_again_as_soon_as_it_hears_of_it(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed()
        await api.pod_until("web", is_ready)
        lost = [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]
        await cluster.client.patch(Node, "node-1", "", {"status": {"conditions": lost}})
        unready = [{"type": "Ready", "status": "False", "reason": "NodeNotReady"}]
        await cluster.client.patch(Pod, "web", "default", {"status": {"conditions": unready}}, subresource="status")
        begun = cluster.clock.monotonic()
        await api.until(lambda: is_ready(api.get("nodes", "node-1", "")))
        await api.pod_until("web", is_ready)
        assert cluster.clock.monotonic() - begun < 1

    play(story)


def test_pod_deleted_while_its_image_is_awaited_goes_at_once(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        cluster.seed("pull=1h")
        await cluster.state("ContainerCreating")
        begun = cluster.clock.monotonic()
        api.delete_pod("web", grace=5)
        await api.until(lambda: api.get("pods", "web") is None)
        assert cluster.clock.monotonic() - begun < 1

    play(story)


def test_extended_resources_that_others_tell_of_become_allocatable_and_go_again(play: Any, api: Any) -> None:
    async def story(cluster: Cluster) -> None:
        await api.until(lambda: api.get("nodes", "node-1", ""))
        for amount in ("3", None):
            patch = {"status": {"capacity": {"example.com/dongle": amount}}}
            await cluster.client.patch(Node, "node-1", "", patch, subresource="status")
            await api.until(
                lambda amount=amount: (
                    api.get("nodes", "node-1", "")["status"]["allocatable"].get("example.com/dongle") == amount
                )
            )
        assert "example.com/dongle" not in api.get("nodes", "node-1", "")["status"]["capacity"]

    play(story)
