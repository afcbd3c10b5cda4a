"""exec, attach, cp, port-forward, logs and proxy with the real kubectl, on real containers."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pybernetes.cluster.layout import Layout
from pybernetes.walkthrough.walk import pyb_command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: box
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "mkdir /www; echo hello > /www/index.html; httpd -p 8080 -h /www; echo one; echo two; sleep 600"]
    ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - {name: shell, image: busybox, imagePullPolicy: IfNotPresent, stdin: true, stdinOnce: true, command: [cat]}
"""


class Kubectl:
    """The real kubectl on a cluster of this test."""

    def __init__(self, kubeconfig: Path) -> None:
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}

    def __call__(
        self, *words: str, given: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ("kubectl", *words),
            input=given if given is not None else b"",
            capture_output=True,
            timeout=60,
            env={**self.environment, **environment},
            check=False,
        )


@pytest.fixture(scope="module")
def kubectl() -> Iterator[Kubectl]:
    name = f"s{os.getpid()}"
    start = pyb_command("up", "--name", name, "--workers", "1", "--no-egress")
    up = subprocess.run(start, capture_output=True, text=True, timeout=280, check=False)
    try:
        assert up.returncode == 0, up.stderr
        found = Kubectl(Layout(name).kubeconfig("admin"))
        assert found("apply", "-f", "-", given=PODS.encode()).returncode == 0
        waited = found("wait", "pod/box", "pod/shell", "--for=condition=Ready", "--timeout=50s")
        assert waited.returncode == 0, waited.stderr
        yield found
    finally:
        subprocess.run(pyb_command("down", "--name", name), capture_output=True, timeout=120, check=True)


@pytest.mark.parametrize("web_sockets", ["true", "false"])
def test_exec_tells_both_outputs_and_the_exit_code(kubectl: Kubectl, web_sockets: str) -> None:
    command = ("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    done = kubectl(*command, KUBECTL_REMOTE_COMMAND_WEBSOCKETS=web_sockets)
    assert (done.returncode, done.stdout) == (3, b"out\n")
    assert done.stderr == b"err\ncommand terminated with exit code 3\n"


@pytest.mark.parametrize("web_sockets", ["true", "false"])
def test_exec_reads_input_to_its_end(kubectl: Kubectl, web_sockets: str) -> None:
    given = os.urandom(1_000_000)
    done = kubectl("exec", "-i", "box", "--", "cat", given=given, KUBECTL_REMOTE_COMMAND_WEBSOCKETS=web_sockets)
    assert (done.returncode, done.stdout == given) == (0, True)


def test_a_terminal_has_the_size_of_ours(kubectl: Kubectl) -> None:
    # The size comes after the command has begun, as it does upstream; until then stty has nothing to say.
    inside = 'until [ "$(stty size 2>/dev/null)" ]; do :; done; stty size'
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    command = ("kubectl", "exec", "-it", "box", "--", "sh", "-c", inside)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=kubectl.environment) as running:
        os.close(theirs)
        seen = b""
        # A terminal whose last process has ended reads as an error.
        with suppress(OSError):
            while chunk := os.read(ours, 4096):
                seen += chunk
        assert running.wait(60) == 0
    os.close(ours)
    assert b"33 77" in seen


def test_files_are_copied_both_ways(kubectl: Kubectl, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(1_000_000))
    assert kubectl("cp", str(there), "box:/tmp/file").returncode == 0
    assert kubectl("cp", "box:/tmp/file", str(back)).returncode == 0
    assert there.read_bytes() == back.read_bytes()


def test_attach_gives_the_main_process_input(kubectl: Kubectl) -> None:
    assert b"echoed\n" in kubectl("attach", "-i", "shell", given=b"echoed\n").stdout


@pytest.mark.parametrize("web_sockets", ["true", "false"])
def test_ports_of_a_pod_are_forwarded(kubectl: Kubectl, web_sockets: str) -> None:
    environment = {**kubectl.environment, "KUBECTL_PORT_FORWARD_WEBSOCKETS": web_sockets}
    command = ("kubectl", "port-forward", "pod/box", ":8080")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as forwarding:
        try:
            assert forwarding.stdout is not None
            port = forwarding.stdout.readline().decode().split(" -> ")[0].rpartition(":")[2]
            for _ in range(3):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as response:
                    assert response.read() == b"hello\n"
        finally:
            forwarding.terminate()
            forwarding.communicate(timeout=20)


def test_logs_whole_and_in_part(kubectl: Kubectl) -> None:
    assert kubectl("logs", "box").stdout == b"one\ntwo\n"
    assert kubectl("logs", "box", "--tail=1").stdout == b"two\n"
    assert kubectl("logs", "box", "--limit-bytes=2").stdout == b"on"
    assert kubectl("logs", "box", "--timestamps", "--tail=1").stdout.endswith(b"Z two\n")


def test_a_pod_is_reached_by_its_proxy_path(kubectl: Kubectl) -> None:
    done = kubectl("get", "--raw", "/api/v1/namespaces/default/pods/box:8080/proxy/index.html")
    assert (done.returncode, done.stdout) == (0, b"hello\n")


def test_refusals_are_worded_as_upstreams(kubectl: Kubectl) -> None:
    absent = kubectl("exec", "box", "--", "nosuchcommand")
    assert absent.returncode == 1
    assert b'exec: "nosuchcommand": executable file not found in $PATH' in absent.stderr
    other = kubectl("logs", "box", "-c", "other")
    assert b"container other is not valid for pod box" in other.stderr
    previous = kubectl("logs", "box", "--previous")
    assert b'previous terminated container "box" in pod "box" not found' in previous.stderr
