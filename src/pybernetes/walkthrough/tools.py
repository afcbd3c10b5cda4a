"""The step of kubectl's tools: logs, exec, port-forward, cp, scale, cordon, drain, api-versions, top."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import tempfile
from pathlib import Path

from pybernetes.walkthrough.walk import StepFailed, Walk, condition, fetch


def tools(walk: Walk) -> None:
    """Everything that people do with a running pod and a node."""
    pod = walk.ready_pods()[0]["metadata"]["name"]
    _logs(walk, pod)
    _execute(walk, pod)
    _copy(walk, pod)
    _forward(walk, pod)
    walk.show("scale", "deployment/nginx-deployment", "--replicas=5")
    walk.wait("five pods are Ready", lambda: len(walk.ready_pods()) == 5)
    _drain(walk)
    text = walk.show("api-versions")
    walk.check("apps/v1" in text.split(), "apps/v1 is among the API versions")
    text = walk.show("top", "nodes", fails=True)
    walk.check("Metrics API not available" in text, "top says that there are no metrics")


def _logs(walk: Walk, pod: str) -> None:
    walk.show("logs", pod, "--tail=2")
    walk.say(f"\n$ kubectl logs -f {pod} --tail=0")
    address = walk.objects("pod", pod)[0]["status"]["podIP"]
    with subprocess.Popen(
        [*walk.kubectl, "logs", "-f", pod, "--tail=0"], stdout=subprocess.PIPE, env=walk.environment()
    ) as following:
        assert following.stdout is not None
        try:
            ask = [*walk.kubectl, "exec", pod, "--", "busybox", "wget", "-qO-", f"http://{address}/followed"]
            os.set_blocking(following.stdout.fileno(), False)
            walk.wait("a request shows up in the log that is followed", lambda: _shows(walk, ask, following))
        finally:
            following.terminate()


def _shows(walk: Walk, ask: list[str], following: subprocess.Popen[bytes]) -> bool:
    walk.run(ask)
    assert following.stdout is not None
    return b"/followed" in (following.stdout.read() or b"")


def _execute(walk: Walk, pod: str) -> None:
    walk.show("exec", pod, "--", "busybox", "uname", "-n")
    done = walk.run([*walk.kubectl, "exec", pod, "--", "sh", "-c", "exit 3"])
    walk.check(done.returncode == 3, "exec passes the exit code on")
    done = walk.run([*walk.kubectl, "exec", "-i", pod, "--", "cat"], stdin="through stdin\n")
    walk.check(done.stdout == "through stdin\n", "exec -i passes stdin through to its end")
    text = _in_terminal(walk, [*walk.kubectl, "exec", "-it", pod, "--", "sh", "-c", "test -t 0 && echo a terminal"])
    walk.check("a terminal" in text, "exec -it gives the command a terminal")


def _in_terminal(walk: Walk, words: list[str]) -> str:
    """What a command writes when it runs in a terminal of its own."""
    walk.say(f"\n$ {' '.join(words)}")
    master, slave = pty.openpty()
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=walk.environment()) as running:
        os.close(slave)
        text = b""
        try:
            while chunk := os.read(master, 4096):
                text += chunk
        except OSError:
            pass  # a terminal whose last process has ended reads as an error
        running.wait(30)
    os.close(master)
    walk.say(text.decode().rstrip())
    return text.decode()


def _copy(walk: Walk, pod: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sent, received = Path(folder) / "sent", Path(folder) / "received"
        sent.write_bytes(os.urandom(100_000))
        walk.show("cp", str(sent), f"{pod}:/tmp/copied")
        walk.show("cp", f"{pod}:/tmp/copied", str(received))
        walk.check(received.read_bytes() == sent.read_bytes(), "a file comes back as it was sent")


def _forward(walk: Walk, pod: str) -> None:
    words = [*walk.kubectl, "port-forward", f"pod/{pod}", ":80", "--address=127.0.0.1"]
    walk.say(f"\n$ kubectl port-forward pod/{pod} :80")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=walk.environment()
    ) as forwarding:
        try:
            assert forwarding.stdout is not None
            line = forwarding.stdout.readline()
            walk.say(line.rstrip())
            match = re.search(r"127\.0\.0\.1:(\d+)", line)
            if match is None:
                raise StepFailed(f"port-forward said: {line}")
            page = fetch(f"http://127.0.0.1:{match.group(1)}/")
            walk.check("Welcome to nginx" in page, "the page comes through the forwarded port")
        finally:
            forwarding.terminate()


def _drain(walk: Walk) -> None:
    node = walk.ready_pods()[0]["spec"]["nodeName"]
    walk.show("cordon", node)
    walk.check("SchedulingDisabled" in walk.show("get", "node", node), f"{node} takes no more pods")
    walk.show("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=90s")
    walk.wait("five pods are Ready elsewhere", lambda: _elsewhere(walk, node) == 5)
    walk.show("uncordon", node)


def _elsewhere(walk: Walk, node: str) -> int:
    return sum(pod["spec"]["nodeName"] != node for pod in walk.ready_pods())


def remove_node(walk: Walk) -> None:
    """A node that is gone for good: switched off and deleted, as with private installations."""
    node = sorted(walk.place.host_addresses)[-1]
    walk.pyb("node", "stop", node, "--name", walk.place.cluster)
    walk.show("delete", "node", node)
    gone = walk.show("get", "nodes")
    walk.check(node not in gone, f"{node} is no node of the cluster any more")
    walk.pyb("node", "start", node, "--name", walk.place.cluster)
    walk.wait(f"{node} has joined again", lambda: _is_ready(walk, node), 90)


def _is_ready(walk: Walk, node: str) -> bool:
    found = [item for item in walk.objects("nodes") if item["metadata"]["name"] == node]
    return bool(found) and condition(found[0], "Ready") == "True"
