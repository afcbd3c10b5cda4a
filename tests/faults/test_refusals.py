"""What people get wrong at the start: one clear line, exit code 1, no traceback, nothing half-made in the way."""

# ruff: noqa: ARG005, E501 - a row is a case.
from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.process import ApiServerProcess


def pyb(*words: str) -> tuple[int, str]:
    """Exit code and stderr of a command that is to end by itself."""
    command = [sys.executable, "-m", "pybernetes.cli.main", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stderr


def text_file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


Flags = Callable[[Path], list[str]]
CASES: dict[str, tuple[Flags, str]] = {
    "no file of tokens": (lambda t: ["--token-auth-file", str(t / "none")], "--token-auth-file: No such file or directory"),
    "bad tokens": (lambda t: ["--token-auth-file", text_file(t / "f", "only-a-token\n")], "line 1 of the token file"),
    "tokens that are no text": (lambda t: ["--token-auth-file", sys.executable], "--token-auth-file: "),
    "no certificate": (lambda t: ["--tls-cert-file", str(t / "c"), "--tls-private-key-file", str(t / "k")], "--tls-cert-file"),
    "bad certificate": (lambda t: ["--client-ca-file", text_file(t / "c", "x")], "--client-ca-file"),
    "bad signing key": (lambda t: ["--service-account-signing-key-file", text_file(t / "k", "x")], "--service-account-signing-key-file"),
    "a file for a folder": (lambda t: ["--data-dir", text_file(t / "d", "")], "--data-dir: "),
    "unknown mode": (lambda t: ["--authorization-mode", "Magic"], 'authorization-mode "Magic" is not a valid mode'),
    "a mode twice": (lambda t: ["--authorization-mode", "RBAC,RBAC"], 'authorization-mode ["RBAC" "RBAC"] has mode specified more than once'),
    "unknown plug-in": (lambda t: ["--disable-admission-plugins", "Magic"], 'disable-admission-plugins plugin "Magic" is unknown'),
    "a certificate without its key": (lambda t: ["--tls-cert-file", str(t / "c")], "--tls-cert-file and --tls-private-key-file must be given together"),
    "less than nothing": (lambda t: ["--request-timeout=-1s"], "--request-timeout can not be negative value"),
    "no duration": (lambda t: ["--request-timeout=soon"], 'Error: invalid argument "soon" for "--request-timeout" flag: time: invalid duration "soon"'),
    "neither true nor false": (lambda t: ["--profiling=maybe"], 'Error: invalid argument "maybe" for "--profiling" flag: strconv.ParseBool: parsing "maybe": invalid syntax'),
    "no port": (lambda t: ["--secure-port", "99999"], '"99999" is no port'),
    "no range": (lambda t: ["--service-node-port-range", "5"], '"5" is no range of ports'),
    "no network": (lambda t: ["--service-cluster-ip-range", "10.0.0.1/8"], "--service-cluster-ip-range"),
    "foreign address": (lambda t: ["--bind-address", "192.0.2.1"], "cannot listen on 192.0.2.1:"),
    "unknown flag": (lambda t: ["--no-such-flag"], "Error: unknown flag: --no-such-flag"),
    "no store": (lambda t: [text_file_of_store(t)], "cannot open the store"),
}  # fmt: skip


def text_file_of_store(folder: Path) -> str:
    (folder / "data").mkdir()
    text_file(folder / "data" / "store.db", "this is no database, " * 1000)
    return "--secure-port=0"


@pytest.mark.parametrize("name", CASES)
def test_an_api_server_that_cannot_start_says_why(tmp_path: Path, name: str) -> None:
    flags, words = CASES[name]
    code, said = pyb("apiserver", "--data-dir", str(tmp_path / "data"), "--secure-port", "0", *flags(tmp_path))
    assert code == 1
    assert words in said and "Traceback" not in said


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = pyb("apiserver", "--data-dir", str(tmp_path), "--secure-port", str(port))
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port} (see --bind-address and --secure-port): Address already in use" in said
    assert "Traceback" not in said


async def test_data_that_another_server_uses(tmp_path: Path) -> None:
    async with ApiServerProcess(tmp_path) as server:
        code, said = pyb("apiserver", "--data-dir", str(server.data), "--secure-port", "0")
        assert code == 1
        assert "is in use by another process" in said and "Traceback" not in said
        assert (await server.call("GET", "/api/v1/namespaces/default"))[0] == 200


@pytest.mark.parametrize("component", ["scheduler", "controller-manager"])
def test_a_component_without_its_kubeconfig(tmp_path: Path, component: str) -> None:
    code, said = pyb(component, "--kubeconfig", str(tmp_path / "none"))
    assert code == 1
    assert "kubeconfig" in said and "Traceback" not in said


def test_an_unknown_command() -> None:
    code, said = pyb("no-such-command")
    assert code == 1 and "no-such-command" in said
