"""A DaemonSet keeps one pod on every node that suits it, changes them one at a time, and remembers its revisions."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types.apps_v1 import ControllerRevision, DaemonSet
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.client import PatchType
from tests.controllers.world import World, made, play


def agent(**template_spec: Any) -> DaemonSet:
    spec = {"containers": [{"name": "c", "image": "nginx"}], "terminationGracePeriodSeconds": 1} | template_spec
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    return made(DaemonSet, "agent", spec={"selector": {"matchLabels": {"a": "b"}}, "template": template})


async def settled(world: World, count: int) -> DaemonSet:
    async def complete() -> DaemonSet | None:
        found = await world.client.get(DaemonSet, "agent", "default")
        status = found.status
        numbers = (status.desired_number_scheduled, status.number_available or 0, status.updated_number_scheduled or 0)
        return found if numbers == (count,) * 3 and status.observed_generation == found.metadata.generation else None

    result: DaemonSet = await world.until(complete)
    return result


def test_one_pod_on_each_node_with_the_revision_that_upstream_would_name() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(agent())
        await settled(world, 2)
        revisions = (await world.client.list(ControllerRevision, "default")).items
        assert [(item.metadata.name, item.revision) for item in revisions] == [("agent-5bc7999bd5", 1)]
        pods = await world.pods(a="b")
        assert {pod.metadata.labels["controller-revision-hash"] for pod in pods} == {"5bc7999bd5"}
        for pod in pods:
            affinity = pod.spec.affinity
            assert affinity is not None and affinity.node_affinity is not None
            required = affinity.node_affinity.required_during_scheduling_ignored_during_execution
            assert required is not None
            assert required.node_selector_terms[0].match_fields[0].key == "metadata.name"
            effects = {(item.key, item.effect, item.toleration_seconds) for item in pod.spec.tolerations}
            assert ("node.kubernetes.io/unreachable", "NoExecute", None) in effects
        await world.client.delete(Pod, pods[0].metadata.name or "", "default")

        async def another() -> bool:
            return len({pod.metadata.name for pod in await world.pods(a="b")} - {pods[0].metadata.name}) == 2

        await world.until(another)

    play(scenario)


def test_revisions_carry_the_annotations_of_their_time() -> None:
    async def scenario(world: World) -> None:
        wanted = agent()
        wanted.metadata.annotations["kubernetes.io/change-cause"] = "first"
        await world.client.create(wanted)
        await settled(world, 2)
        template = {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}}
        change = {
            "metadata": {"annotations": {"kubernetes.io/change-cause": "second"}},
            "spec": {"template": template},
        }
        await world.client.patch(DaemonSet, "agent", "default", change, PatchType.STRATEGIC)
        await settled(world, 2)
        revisions = (await world.client.list(ControllerRevision, "default")).items
        assert {item.revision: item.metadata.annotations for item in revisions} == {
            1: {"deprecated.daemonset.template.generation": "1", "kubernetes.io/change-cause": "first"},
            2: {"deprecated.daemonset.template.generation": "2", "kubernetes.io/change-cause": "second"},
        }

    play(scenario)


def test_an_update_replaces_one_pod_after_the_other() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(agent())
        await settled(world, 2)
        pods = world.context.informers.of(Pod)
        fewest: list[int] = []
        pods.on_change(lambda *_: fewest.append(sum(pod.status.phase == "Running" for pod in pods.cache.list())))
        fewest.clear()
        change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}}}}
        await world.client.patch(DaemonSet, "agent", "default", change, PatchType.STRATEGIC)
        await settled(world, 2)
        assert min(fewest) == 1
        revisions = (await world.client.list(ControllerRevision, "default")).items
        assert sorted((item.revision, item.metadata.name) for item in revisions) == [
            (1, "agent-5bc7999bd5"),
            (2, "agent-59f96c9c7c"),
        ]

    play(scenario)


def test_tainted_and_unselected_nodes_get_none() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(agent(nodeSelector={"disk": "fast"}))
        await settled(world, 0)
        await world.client.patch(Node, "n1", "", {"metadata": {"labels": {"disk": "fast"}}})
        await settled(world, 1)
        taint = {"key": "dedicated", "value": "x", "effect": "NoExecute"}
        await world.client.patch(Node, "n1", "", {"spec": {"taints": [taint]}})

        async def empty() -> bool:
            return not await world.pods(a="b")

        await world.until(empty)

    play(scenario)
