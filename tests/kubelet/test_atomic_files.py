"""The files of volumes: nothing is written outside of the volume, and nobody reads more than he should."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Pod
from pybernetes.kubelet.atomic_files import write_files
from pybernetes.kubelet.decide.payload import File, token_file


@pytest.mark.parametrize("path", ["../escaped", "a/../../escaped", "/escaped", "..data", "..2026/x", "", "a\0b"])
def test_no_path_leads_out_of_the_volume(tmp_path: Path, path: str) -> None:
    volume = tmp_path / "a" / "volume"
    with pytest.raises(ValueError, match="invalid path"):
        write_files(volume, {"good": File(b"1"), path: File(b"2")}, "stamp")
    assert list(tmp_path.rglob("*")) == []


def test_files_have_their_modes_and_replace_one_another(tmp_path: Path) -> None:
    assert write_files(tmp_path, {"a": File(b"1", 0o400), "b/c": File(b"2", 0o644)}, "one")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "b" / "c").stat().st_mode & 0o777 == 0o644
    assert write_files(tmp_path, {"a": File(b"3", 0o600)}, "two")
    assert (tmp_path / "a").read_bytes() == b"3"
    assert sorted(entry.name for entry in tmp_path.iterdir() if not entry.name.startswith("..")) == ["a"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_token_is_for_the_containers_user_and_the_group_of_the_volume(tmp_path: Path) -> None:
    write_files(tmp_path, {"token": File(b"t", 0o600, 1000)}, "one", group=2000)
    found = (tmp_path / "token").stat()
    assert (found.st_mode & 0o777, found.st_uid, found.st_gid) == (0o640, 1000, 2000)


def _pod(spec: dict[str, object], *containers: dict[str, object]) -> Pod:
    named = [{"name": f"c{number}", "securityContext": context} for number, context in enumerate(containers)]
    return from_builtins({"spec": {"securityContext": spec, "containers": named}}, Pod)


@pytest.mark.parametrize(
    ("spec", "containers", "mode", "owner"),
    [
        ({}, [{}], 0o644, None),
        ({"fsGroup": 5}, [{}], 0o600, None),
        ({"runAsUser": 7}, [{}, {}], 0o600, 7),
        ({"runAsUser": 7}, [{}, {"runAsUser": 8}], 0o644, None),
        ({}, [{"runAsUser": 8}, {"runAsUser": 8}], 0o600, 8),
        ({}, [{"runAsUser": 8}, {}], 0o644, None),
    ],
)
def test_a_tokens_mode(spec, containers, mode: int, owner: int | None) -> None:
    assert token_file(_pod(spec, *containers), "t", 0o644) == File(b"t", mode, owner)
