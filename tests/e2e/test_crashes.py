"""Crashes and bad input on a small real cluster with the real kubectl: each process killed in turn, and what it costs.

The tests of this file are one story, told in order on one cluster.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.test_local import traces

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.processes import tail
from pybernetes.cluster.state import ClusterSpec, read_spec, recorded_processes
from pybernetes.environment.process import is_alive
from pybernetes.walkthrough.script import place_of
from pybernetes.walkthrough.walk import Walk, condition, pyb_command, try_fetch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]
EXAMPLES = Path(__file__).parents[2] / "examples"
NODE_PORT = 32600
PROCESSES = ["apiserver", "control-plane", "node.control-plane", "node.worker-1", "containerd.control-plane"]
PROCESSES += ["containerd.worker-1"]


def pyb(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(pyb_command(*words), text=True, capture_output=True, timeout=150, check=False)


@pytest.fixture(scope="module")
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    made = f"c{os.getpid()}"
    yield made
    if request.session.testsfailed:
        for log in sorted(Layout(made).logs.glob("*.log")):
            print(f"{log.name}:{tail(log, 20)}")
    down = pyb("down", "--name", made)
    assert down.returncode == 0, down.stderr


@pytest.fixture(scope="module")
def walk(name: str) -> Walk:
    up = pyb("up", "--name", name, "--workers", "2", "--no-egress")
    assert up.returncode == 0, up.stderr
    started = Walk(place_of(spec_of(name), EXAMPLES), print)
    started.ask("apply", "-f", str(EXAMPLES / "nginx-deployment.yaml"), "-f", str(EXAMPLES / "nginx-service.yaml"))
    started.ask("scale", "deployment/nginx-deployment", "--replicas=4")
    started.ask("rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
    started.ask("rollout", "status", "deployment", "-n", "kube-system", "--timeout=60s")
    return started


def spec_of(name: str) -> ClusterSpec:
    spec = read_spec(Layout(name))
    assert spec is not None
    return spec


def is_whole(walk: Walk) -> bool:
    """Every process and node, and every pod that is not being deleted, is ready."""
    if pyb("status", "--name", walk.place.cluster).returncode:
        return False
    objects = [*walk.objects("nodes"), *walk.objects("pods", "-A")]
    return all(condition(each, "Ready") == "True" for each in objects if "deletionTimestamp" not in each["metadata"])


def is_served(walk: Walk) -> bool:
    """The Deployment's pages come through every node's port."""
    pages = [try_fetch(f"http://{address}:{NODE_PORT}/") for address in walk.place.host_addresses.values()]
    return all("nginx" in page for page in pages)


def containers(walk: Walk) -> dict[str, list[tuple[str, int]]]:
    """Of every pod: its containers' ids and restart counts."""
    return {
        pod["metadata"]["name"]: [
            (status["containerID"], status["restartCount"]) for status in pod["status"]["containerStatuses"]
        ]
        for pod in walk.objects("pods", "-A")
    }


def kill(name: str, process: str) -> int:
    """Kills a recorded process the hard way; the pid that it had."""
    pid = recorded_processes(Layout(name))[process].pid
    os.kill(pid, signal.SIGKILL)
    return pid


def is_replaced(name: str, process: str, pid: int) -> bool:
    now = recorded_processes(Layout(name)).get(process)
    return now is not None and now.pid != pid


# What people write, and what kubectl must show for it: the words are upstream's.
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: [{name: c, image: busybox}]\n"
BAD_FILES = {
    "no YAML": (POD.replace("{name: x}", "{name: x"), "error converting YAML to JSON: yaml: "),
    "no version": (POD.replace("apiVersion: v1\n", ""), "apiVersion not set"),
    "unknown kind": (POD.replace("kind: Pod", "kind: Podd"), 'no matches for kind "Podd" in version "v1"'),
    "unknown field": (
        POD + "  contaners: []\n",
        'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: '
        'strict decoding error: unknown field "spec.contaners"',
    ),
    "wrong type": (
        POD + '  hostNetwork: "yes"\n',
        'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: '
        "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
    ),
    "no image": (
        POD.replace(", image: busybox", ""),
        'The Pod "x" is invalid: spec.containers[0].image: Required value',
    ),
    "bad name": (
        POD.replace("name: x", "name: X_y"),
        'The Pod "X_y" is invalid: metadata.name: Invalid value: "X_y": ',
    ),
    "no service account": (
        POD + "  serviceAccountName: nobody\n",
        'pods "x" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    ),
    "other labels": (
        (EXAMPLES / "nginx-deployment.yaml").read_text().replace("        app: nginx", "        app: other"),
        'The Deployment "nginx-deployment" is invalid: spec.template.metadata.labels: Invalid value: '
        '{"app":"other"}: `selector` does not match template `labels`',
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_in_upstreams_words(walk: Walk, case: str) -> None:
    text, words = BAD_FILES[case]
    done = walk.run(["kubectl", "apply", "-f", "-"], text)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert walk.run(["kubectl", "get", "pod", "x"]).stderr == 'Error from server (NotFound): pods "x" not found\n'


BAD_COMMANDS = {
    "create configmap c -n nowhere": 'error: failed to create configmap: namespaces "nowhere" not found\n',
    f"create service nodeport two --tcp=80 --node-port={NODE_PORT}": (
        'error: failed to create NodePort service: Service "two" is invalid: spec.ports[0].nodePort: Invalid value: '
        f"{NODE_PORT}: provided port is already allocated\n"
    ),
    "create service nodeport two --tcp=80 --node-port=80": (
        'error: failed to create NodePort service: Service "two" is invalid: spec.ports[0].nodePort: Invalid value: '
        "80: provided port is not in the valid range. The range of valid ports is 30000-32767\n"
    ),
    "get nothing": 'error: the server doesn\'t have a resource type "nothing"\n',
    "cordon nowhere": 'Error from server (NotFound): nodes "nowhere" not found\n',
    "scale deployment nothing --replicas=3": (
        'error: no objects passed to scale deployments.apps "nothing" not found\n'
    ),
    "logs nothing": 'error: error from server (NotFound): pods "nothing" not found in namespace "default"\n',
}


@pytest.mark.parametrize("words", BAD_COMMANDS)
def test_a_bad_command_is_refused_in_upstreams_words(walk: Walk, words: str) -> None:
    done = walk.run(["kubectl", *words.split()])
    assert (done.returncode, done.stderr) == (1, BAD_COMMANDS[words])


def test_a_missing_image_is_told_and_tried_again(walk: Walk) -> None:
    walk.ask("run", "missing", "--image=no-such-image:1")

    def waits() -> dict[str, Any]:
        statuses = walk.objects("pod", "missing")[0]["status"].get("containerStatuses", [{}])
        waiting: dict[str, Any] = statuses[0].get("state", {}).get("waiting", {})
        return waiting if waiting.get("reason") == "ImagePullBackOff" else {}

    assert 'Back-off pulling image "no-such-image:1"' in walk.wait("the pull is given up for now", waits)["message"]
    logs = walk.run(["kubectl", "logs", "missing"])
    assert logs.stderr == (
        'Error from server (BadRequest): container "missing" in pod "missing" is waiting to start: '
        "trying and failing to pull image\n"
    )
    reasons = {event["reason"] for event in walk.objects("events") if event["involvedObject"]["name"] == "missing"}
    assert {"Scheduled", "Pulling", "Failed", "BackOff"} <= reasons
    walk.ask("delete", "pod", "missing", "--now")


def test_a_pod_bound_to_an_unknown_node_waits_for_it(walk: Walk, tmp_path: Path) -> None:
    walk.ask("run", "lost", "--image=busybox", '--overrides={"spec":{"schedulerName":"none"}}')
    binding = tmp_path / "binding.json"
    target = {"apiVersion": "v1", "kind": "Node", "name": "worker-9"}
    binding.write_text(
        json.dumps({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "lost"}, "target": target})
    )
    path = "/api/v1/namespaces/default/pods/lost/binding"
    assert json.loads(walk.ask("create", "--raw", path, "-f", str(binding)))["status"] == "Success"
    again = walk.run(["kubectl", "create", "--raw", path, "-f", str(binding)])
    assert 'pod lost is already assigned to node "worker-9"' in again.stderr
    (pod,) = walk.objects("pod", "lost")
    assert (pod["spec"]["nodeName"], pod["status"]["phase"]) == ("worker-9", "Pending")
    walk.ask("delete", "pod", "lost", "--force", "--grace-period=0")


def test_unknown_names_and_second_starts_are_told(walk: Walk) -> None:
    name = walk.place.cluster
    again = pyb("up", "--name", name)
    assert again.returncode == 1 and f'cluster "{name}" is already running' in again.stderr
    node = pyb("node", "stop", "worker-9", "--name", name)
    assert node.returncode == 1
    assert f'cluster "{name}" has no node "worker-9"; its nodes are control-plane, worker-1, worker-2' in node.stderr


@pytest.mark.parametrize("process", PROCESSES)
def test_a_killed_process_costs_no_container(walk: Walk, process: str) -> None:
    walk.wait("the cluster is whole", lambda: is_whole(walk) and is_served(walk))
    before = containers(walk)
    pid = kill(walk.place.cluster, process)
    walk.wait(f"{process} is there again", lambda: is_replaced(walk.place.cluster, process, pid))
    walk.wait("the cluster is whole again", lambda: is_whole(walk) and is_served(walk))
    assert containers(walk) == before


def test_a_killed_fork_server_is_replaced(walk: Walk) -> None:
    name = walk.place.cluster
    supervisor = recorded_processes(Layout(name))["supervisor"].pid
    first = fork_server(supervisor)
    os.kill(first, signal.SIGKILL)
    walk.wait("another fork server is there", lambda: fork_server(supervisor) not in (0, first))
    pid = kill(name, "node.worker-2")
    walk.wait("a node's process was forked", lambda: is_replaced(name, "node.worker-2", pid))
    walk.wait("the cluster is whole again", lambda: is_whole(walk) and is_served(walk))


def fork_server(supervisor: int) -> int:
    """The pid of a supervisor's fork server, or 0."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == supervisor and b"process_fork" in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return 0


def test_after_all_these_deaths_every_part_still_does_its_work(walk: Walk) -> None:
    before = {pod["metadata"]["uid"] for pod in walk.ready_pods()}
    walk.ask("delete", "pods", "-l", "app=nginx", "--now")

    def are_replaced() -> bool:
        pods = walk.ready_pods()
        return len(pods) == 4 and not before & {pod["metadata"]["uid"] for pod in pods}

    walk.wait("all pods are replaced", are_replaced)
    walk.wait("the new pods are served", lambda: is_served(walk))
    pod = walk.ready_pods()[0]["metadata"]["name"]
    assert walk.ask("exec", pod, "--", "echo", "alive") == "alive\n"


def test_a_lost_supervisor_is_told_and_up_starts_all_anew(walk: Walk) -> None:
    name = walk.place.cluster
    kill(name, "supervisor")
    status = pyb("status", "--name", name)
    assert status.returncode == 1
    assert "its supervisor is gone" in status.stdout and "unsupervised" in status.stdout
    uids = {pod["metadata"]["uid"] for pod in walk.ready_pods()}
    up = pyb("up", "--name", name)
    assert up.returncode == 0, up.stderr
    assert f"cluster {name} is started as it was made: 2 workers, no way out" in up.stdout
    walk.wait("the cluster is whole again", lambda: is_whole(walk) and is_served(walk))
    assert {pod["metadata"]["uid"] for pod in walk.ready_pods()} == uids


def start_until(name: str, moment: str) -> subprocess.Popen[str]:
    """A `pyb up` that has just said that it begins with something."""
    start = pyb_command("up", "--name", name, "--workers", "2", "--no-egress")
    up = subprocess.Popen(start, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert up.stdout is not None
    assert any(line.startswith(moment) for line in up.stdout)
    return up


@pytest.mark.parametrize("moment", ["making the network", "starting apiserver", "starting control-plane"])
def test_a_killed_start_is_cleared_away(walk: Walk, moment: str) -> None:
    name = walk.place.cluster
    spec = spec_of(name) if Layout(name).spec.exists() else None
    assert pyb("down", "--name", name).returncode == 0
    assert traces(name) == []
    if spec is not None:
        assert is_free(spec.api_port)
    with start_until(name, moment) as up:
        up.kill()
    down = pyb("down", "--name", name)
    assert down.returncode == 0, down.stderr
    assert traces(name) == []


def test_an_interrupted_start_clears_away_after_itself(walk: Walk) -> None:
    name = walk.place.cluster
    with start_until(name, "starting apiserver") as up:
        up.send_signal(signal.SIGINT)
        assert up.wait() == 130
    assert traces(name) == []


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_after_all_that_a_cluster_starts_and_ends_as_ever(walk: Walk) -> None:
    name = walk.place.cluster
    up = pyb("up", "--name", name, "--workers", "2", "--no-egress")
    assert up.returncode == 0, up.stderr
    walk.wait("the cluster is whole", lambda: is_whole(walk))
    supervisor = recorded_processes(Layout(name))["supervisor"]
    with subprocess.Popen(pyb_command("down", "--name", name)) as removal:
        walk.wait("the removal is under way", lambda: not is_alive(supervisor))
        removal.kill()
    for _ in range(2):
        down = pyb("down", "--name", name)
        assert (down.returncode, down.stderr) == (0, "")
        assert traces(name) == []
