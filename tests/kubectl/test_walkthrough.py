"""The words of the walkthrough on a simulated cluster, in virtual time."""

from __future__ import annotations

from pathlib import Path

from tests.kubectl.driving import Kubectl, play

EXAMPLES = Path(__file__).parents[2] / "examples"


async def _rolled_out(kubectl: Kubectl) -> None:
    outcome = await kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=2m")
    assert outcome.out.endswith('deployment "nginx-deployment" successfully rolled out\n')


def test_a_deployment_from_file_to_deletion() -> None:
    async def story(kubectl: Kubectl) -> None:
        nodes = (await kubectl("get", "nodes")).out.splitlines()
        assert [line.split()[:2] for line in nodes] == [
            ["NAME", "STATUS"], ["control-plane", "Ready"], ["worker-1", "Ready"], ["worker-2", "Ready"],
        ]  # fmt: skip
        await kubectl("wait", "--for=create", "serviceaccount/default")
        applied = await kubectl("apply", "-f", ".")
        assert applied.out == "deployment.apps/nginx-deployment created\nservice/nginx-service created\n"
        await _rolled_out(kubectl)
        assert (await kubectl("scale", "deploy/nginx-deployment", "--replicas=4")).code == 0
        await _rolled_out(kubectl)
        names = (await kubectl("get", "pods", "-l", "app=nginx", "-o", "name")).out.split()
        assert len(names) == 4
        described = (await kubectl("describe", "service", "nginx-service")).out
        assert "NodePort:                 nginx-port  32600/TCP\n" in described and "+ 1 more..." in described
        gone = await kubectl("delete", names[0])
        assert gone.out == f'pod "{names[0].removeprefix("pod/")}" deleted\n'
        assert (await kubectl("get", names[0])).err.startswith("Error from server (NotFound): pods ")
        await kubectl("delete", "-f", ".")
        assert (await kubectl("get", "deploy")).err == "No resources found in default namespace.\n"

    play(story, EXAMPLES)


def test_a_node_is_emptied_and_comes_back() -> None:
    async def story(kubectl: Kubectl) -> None:
        await kubectl("wait", "--for=create", "serviceaccount/default")
        await kubectl("apply", "-f", ".")
        await kubectl("scale", "deploy/nginx-deployment", "--replicas=3")
        await _rolled_out(kubectl)
        drained = await kubectl("drain", "worker-1", "--ignore-daemonsets")
        assert drained.out.startswith("node/worker-1 cordoned\n") and drained.out.endswith("node/worker-1 drained\n")
        described = (await kubectl("describe", "node", "worker-1")).out
        assert "Unschedulable:      true\n" in described
        assert "Non-terminated Pods:          (0 in total)\n" in described
        again = await kubectl("uncordon", "worker-1")
        assert again.out == "node/worker-1 uncordoned\n"
        assert (await kubectl("top", "nodes")).err == "error: Metrics API not available\n"

    play(story, EXAMPLES)


def test_pods_of_a_namespace_that_goes_are_waited_for() -> None:
    async def story(kubectl: Kubectl) -> None:
        await kubectl("create", "namespace", "away")
        await kubectl("wait", "--for=create", "serviceaccount/default", "-n", "away")
        await kubectl("apply", "-f", ".", "-n", "away")
        await kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=2m", "-n", "away")
        name = (await kubectl("get", "pods", "-n", "away", "-o", "name")).out.split()[0]
        await kubectl("patch", name, "-n", "away", "-p", '{"metadata": {"finalizers": ["example.com/stay"]}}')
        await kubectl("delete", "namespace", "away", "--wait=false")
        drained = await kubectl("drain", "worker-1", "worker-2", "--timeout=20s")
        assert f"evicting pod away/{name.removeprefix('pod/')}\n" in drained.out
        assert "global timeout reached: 20s" in drained.err

    play(story, EXAMPLES)


def test_a_watch_shows_what_happens_under_one_header() -> None:
    async def story(kubectl: Kubectl) -> None:
        await kubectl("wait", "--for=create", "serviceaccount/default")
        tables = kubectl.start("get", "pods", "--watch")
        names = kubectl.start("get", "deployments", "--watch", "--output=name")
        await kubectl("create", "deployment", "web", "--image=nginx")
        await kubectl("rollout", "status", "deployment/web")
        lines = tables.stop().splitlines()
        assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
        assert lines[1].split()[1:3] == ["0/1", "Pending"] and lines[-1].split()[1:3] == ["1/1", "Running"]
        assert set(names.stop().splitlines()) == {"deployment.apps/web"}

    play(story, EXAMPLES)
