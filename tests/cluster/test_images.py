"""Images made without an engine: names, layers, archives, the pause program."""

from __future__ import annotations

import io
import json
import platform
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from pybernetes.cluster.images import STAND_IN
from pybernetes.cluster.images_debian import nginx_dependencies, nginx_tag_files
from pybernetes.cluster.images_oci import Entry, Image, full_name, layer, write_archive
from pybernetes.cluster.images_pause import pause_program
from pybernetes.cluster.images_python import project_files


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("nginx:1.7.9", "docker.io/library/nginx:1.7.9"),
        ("nginx", "docker.io/library/nginx:latest"),
        ("pybernetes/pybernetes:local", "docker.io/pybernetes/pybernetes:local"),
        ("registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.10.1"),
        ("localhost/mine", "localhost/mine:latest"),
        ("host:5000/mine", "host:5000/mine:latest"),
    ],
)
def test_names_are_spelled_as_containerd_keeps_them(name: str, full: str) -> None:
    assert full_name(name) == full


def test_the_same_files_give_the_same_layer_in_any_order() -> None:
    one = layer({"bin/a": Entry(b"a"), "etc/b": Entry(b"b", mode=0o600), "bin/c": Entry(target="a")})
    two = layer({"bin/c": Entry(target="a"), "etc/b": Entry(b"b", mode=0o600), "bin/a": Entry(b"a")})
    assert one == two
    with tarfile.open(fileobj=io.BytesIO(one.data)) as tar:
        assert tar.getnames() == ["bin", "bin/a", "bin/c", "etc", "etc/b"]
        assert tar.getmember("etc/b").mode == 0o600
        assert tar.getmember("bin/c").linkname == "a"


def test_an_archive_names_its_images_and_holds_shared_layers_once(tmp_path: Path) -> None:
    shared = layer({"a": Entry(b"a")})
    images = [Image((full_name(f"web:{tag}"),), (shared,), (tag,), {STAND_IN: "yes"}) for tag in ("1", "2")]
    write_archive(tmp_path / "x.tar", images)
    with tarfile.open(tmp_path / "x.tar") as tar:
        names = tar.getnames()
        index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
    assert names.count(f"blobs/sha256/{shared.digest.removeprefix('sha256:')}") == 1
    named = [each["annotations"]["io.containerd.image.name"] for each in index["manifests"]]
    assert {name for name in named if "@" not in name} == {"docker.io/library/web:1", "docker.io/library/web:2"}
    assert f"docker.io/library/web@{index['manifests'][0]['digest']}" in named


def test_a_page_tells_its_tag() -> None:
    page = nginx_tag_files("1.7.9")["usr/share/nginx/html/index.html"].data
    assert isinstance(page, bytes)
    assert b"nginx:1.7.9 (a stand-in" in page


def test_nginx_comes_with_its_libraries_and_its_configuration() -> None:
    listing = (
        "nginx\n  Depends: libc6\n  Depends: libssl3\n  Depends: zlib1g\n  Depends: iproute2\n  Depends: nginx-common\n"
    )
    assert nginx_dependencies(listing) == ["libssl3", "nginx-common", "zlib1g"]


def test_the_project_goes_in_compiled() -> None:
    files = project_files()
    assert "opt/pybernetes/pybernetes/api/kinds.pyc" in files
    assert not [name for name in files if name.endswith(".py")]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other machines use busybox")
def test_pause_waits_until_it_is_told_to_end(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    data = pause_program("x86_64")
    assert data is not None
    program.write_bytes(data)
    program.chmod(0o755)
    with subprocess.Popen([program]) as running:
        running.send_signal(signal.SIGCHLD)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.1)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
