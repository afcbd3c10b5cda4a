"""What people get wrong on `pyb`'s command line: one clear line, exit code 1, no traceback, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pybernetes.cli.main import main
from pybernetes.client import ClientConfig
from pybernetes.client.kubeconfig import Kubeconfig
from pybernetes.cluster import system_packages
from pybernetes.cluster.layout import Layout
from pybernetes.walkthrough.walk import pyb_command

Captured = pytest.CaptureFixture[str]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a local cluster needs root")


def refused(capsys: Captured, *words: str) -> str:
    """The line that a command gives when it does not do what it was asked."""
    try:
        code = main(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    said = capsys.readouterr().err.strip().splitlines()
    assert code == 1
    return said[-1]


def kubeconfig(folder: Path, server: str) -> Path:
    written = Kubeconfig()
    written.add("test", ClientConfig(server=server))
    written.write(folder / "kubeconfig")
    return folder / "kubeconfig"


UNKNOWN = {
    ("status", "--name", "nowhere"): 'pyb status: there is no cluster "nowhere"',
    ("node", "stop", "worker-1", "--name", "nowhere"): 'pyb node: there is no cluster "nowhere"',
    ("node", "kick", "worker-1"): "pyb node: argument action: invalid choice: 'kick'",
    ("cloud-controller-manager", "--cluster-name", "nowhere"): 'there is no cluster "nowhere"',
    ("up", "--name", "Not_A_Name"): '"Not_A_Name" cannot be a cluster\'s name: up to 20 of a-z and 0-9, a letter first',
    ("down", "--name", "../x"): '"../x" cannot be a cluster\'s name',
    ("status", "--name", "../x"): '"../x" cannot be a cluster\'s name',
    ("up", "--workers", "many"): "pyb up: argument --workers: invalid int value: 'many'",
    ("up", "--no-such-flag"): "unrecognized arguments: --no-such-flag",
    (
        "controller-manager",
        "--controllers",
        "*,magic",
    ): '--controllers: "magic" is not in the list of known controllers',
    ("controller-manager", "--root-ca-file", "/no/file"): "--root-ca-file: No such file or directory: /no/file",
    ("kubelet", "--node-ip", "here"): "argument --node-ip: 'here' does not appear to be an IPv4 or IPv6 address",
    ("kubelet", "--node-ip", "192.0.2.1", "--register-with-taints", "a=b"): '"a=b" is no taint: key=value:effect',
    (): "the following arguments are required: COMMAND",
}


@pytest.mark.parametrize("words", UNKNOWN, ids=" ".join)
def test_bad_words_are_told_in_one_line(capsys: Captured, words: tuple[str, ...]) -> None:
    assert UNKNOWN[words] in refused(capsys, *words)


@needs_root
@pytest.mark.parametrize("workers", ["-1", "201"])
def test_a_number_of_workers_that_cannot_be_leaves_no_cluster(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setattr(system_packages, "missing_packages", list)
    monkeypatch.setattr("pybernetes.cluster.local.missing_packages", list)
    assert "a cluster has 0 to 200 workers" in refused(capsys, "up", "--name", "toomany", "--workers", workers)
    layout = Layout("toomany")
    assert not any(path.exists() for path in (layout.data, layout.run, layout.lock))


COMPONENTS = ["scheduler", "controller-manager", "kubelet", "proxy", "dns"]


WHOLE = """
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority: ca.crt}}]
users: [{name: u, user: {token: t}}]
"""
BAD_ENTRIES = [
    WHOLE,
    WHOLE.replace("certificate-authority: ca.crt", "certificate-authority-data: '!!!'"),
    WHOLE.replace("https://127.0.0.1:1", "127.0.0.1"),
    WHOLE.replace("user: u}", "user: other}"),
    WHOLE.replace("{token: t}", "word"),
]


def flags(component: str) -> list[str]:
    return ["--node-ip", "192.0.2.1"] if component in ("kubelet", "proxy") else []


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_says_what_is_wrong_with_its_kubeconfig(capsys: Captured, tmp_path: Path, component: str) -> None:
    words = [component, *flags(component), "--kubeconfig"]
    path = tmp_path / "file"
    assert refused(capsys, *words, str(path)) == f"pyb {component}: --kubeconfig {path}: No such file or directory"
    for text in ("", "no: [yaml", "just words", "clusters: 5", "users: [1]", "current-context: nowhere", *BAD_ENTRIES):
        path.write_text(text)
        assert refused(capsys, *words, str(path)).startswith(f"pyb {component}: --kubeconfig {path}: ")


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_with_no_way_to_an_api_server_says_so(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, component: str
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    said = refused(capsys, component, *flags(component))
    assert said.startswith(f"pyb {component}: --kubeconfig is not given: not in a cluster: KUBERNETES_SERVICE_HOST")


def test_a_kubelet_with_bad_certificates_does_not_start(capsys: Captured, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("no certificate")
    words = ["--tls-cert-file", str(bad), "--tls-private-key-file", str(bad), "--client-ca-file", str(bad)]
    assert "--tls-cert-file, --tls-private-key-file and --client-ca-file: " in refused(
        capsys, "kubelet", "--node-ip", "192.0.2.1", *words
    )


@pytest.mark.parametrize("component", ["scheduler", "controller-manager"])
def test_a_component_keeps_trying_while_the_api_server_is_away(tmp_path: Path, component: str) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1")
    command = pyb_command(component, "--kubeconfig", str(path))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        failures = (line for line in running.stderr if "list or watch failed" in line)
        said = [next(failures) for _ in range(5)]
        assert all("127.0.0.1:1" in line or "refused" in line for line in said)
        running.terminate()
        rest = running.stderr.read()
    assert running.returncode == 0
    assert "Traceback" not in rest


AS_NOBODY = """
import os, sys
from pybernetes.cli import down, main, node, status, up
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
sys.exit(main.main(sys.argv[1:]))
"""


@needs_root
@pytest.mark.parametrize("words", [("up", "--name", "mine"), ("down", "--name", "mine")], ids=" ".join)
def test_who_is_not_root_is_told_so(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", AS_NOBODY, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"pyb {words[0]}: a local cluster needs root, for network namespaces and containers: "
    )
    assert "Traceback" not in done.stderr


def test_without_containerd_it_says_what_to_install(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "_finds", lambda program: program != "containerd")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "this host lacks containerd" in refused(capsys, "up", "--name", "mine")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    said = refused(capsys, "up", "--name", "mine")
    assert "this host lacks what Debian's packages containerd" in said
    assert not Layout("mine").lock.exists()
