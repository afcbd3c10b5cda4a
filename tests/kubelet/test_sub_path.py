"""Parts of volumes: whoever writes to the volume cannot make the kubelet mount anything else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kubelet.conftest import FakeApi

from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.clock import SystemClock
from pybernetes.kubelet.decide.environment import Unresolvable
from pybernetes.kubelet.mounting import mount_points_below, unmount
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.sub_path import mount_below, walk
from pybernetes.kubelet.volumes import Volumes

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Path]:
    """The kubelet's own folder."""
    yield tmp_path / "pods"
    for point in mount_points_below(tmp_path):
        unmount(point)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    place = tmp_path / "volume with a blank"
    place.mkdir()
    place.chmod(0o2777)
    return place


def test_directories_are_made_as_the_volume_is(volume: Path, pods: Path) -> None:
    place = mount_below(volume, "a/b", pods / "0")
    assert (volume / "a" / "b").stat().st_mode & 0o7777 == 0o2777
    (place / "x").write_text("said")
    assert (volume / "a" / "b" / "x").read_text() == "said"


def test_a_container_that_starts_again_finds_what_is_there_now(volume: Path, pods: Path) -> None:
    (volume / "a").mkdir()
    mount_below(volume, "a", pods / "0")
    shutil.rmtree(volume / "a")
    (volume / "a").write_text("a file now")
    assert mount_below(volume, "a", pods / "0").read_text() == "a file now"
    assert len(mount_points_below(pods)) == 1


def test_links_within_the_volume_are_followed(volume: Path, pods: Path) -> None:
    (volume / "..data").mkdir()
    (volume / "..data" / "key").write_text("value")
    (volume / "key").symlink_to("..data/key")
    assert mount_below(volume, "key", pods / "0").read_text() == "value"


@pytest.mark.parametrize("target", ["/etc", "../outside", "/nonexistent/x"])
def test_no_link_leads_out(volume: Path, pods: Path, target: str) -> None:
    (volume / "link").symlink_to(target)
    for sub_path in ("link", "link/x"):
        with pytest.raises(Unresolvable):
            mount_below(volume, sub_path, pods / "0")
    assert mount_points_below(pods) == []


@pytest.mark.parametrize("sub_path", ["../x", "a/../../x", "/etc"])
def test_no_name_leads_out(volume: Path, pods: Path, sub_path: str) -> None:
    with pytest.raises(Unresolvable):
        mount_below(volume, sub_path, pods / "0")


def test_a_link_that_was_put_there_after_the_look_is_not_followed(volume: Path) -> None:
    (volume / "a").symlink_to("/etc")
    for parts in (("a",), ("a", "x")):
        with pytest.raises(Unresolvable, match="symbolic link"):
            walk(volume, parts)


async def test_cleaning_up_after_a_pod_leaves_volumes_alone(volume: Path, tmp_path: Path, pods: Path) -> None:
    (volume / "a").mkdir()
    (volume / "a" / "kept").write_text("data")
    options = KubeletOptions("n", "192.0.2.1", tmp_path)
    volumes = Volumes(options, Client(InProcessTransport(FakeApi().handle)), SystemClock())
    assert options.pods_dir == pods
    mount_below(volume, "a", volumes.pod_dir("u") / "volume-subpaths" / "v" / "c" / "0")
    await volumes.tear_down("u")
    assert (volume / "a" / "kept").read_text() == "data"
    assert not volumes.pod_dir("u").exists()
