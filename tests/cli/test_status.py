"""What `pyb status` says of clusters that are well and of those that are not."""

from __future__ import annotations

from pybernetes.cli.status import cluster_lines, process_lines, state_of
from pybernetes.cluster.local import ClusterStatus
from pybernetes.cluster.processes import ProcessState
from pybernetes.cluster.state import Wishes, new_spec

SPEC = new_spec("test", Wishes(workers=1, egress=False), [], [], 6443)
LEFT = ProcessState("apiserver", "control-plane", "unsupervised", 0, 0, "/log")


def test_the_state_says_what_to_do() -> None:
    assert state_of(ClusterStatus(SPEC, True, [LEFT])) == "running"
    assert state_of(ClusterStatus(SPEC, False)).startswith("not running; `pyb up` starts it")
    assert state_of(ClusterStatus(SPEC, False, [LEFT])).startswith("its supervisor is gone")


def test_versions_and_a_silent_api_server_are_shown() -> None:
    well = "\n".join(cluster_lines(ClusterStatus(SPEC, True, [LEFT]), "v1.36.2"))
    assert "versions: Kubernetes v1.36.2, Pybernetes " in well and "does not answer" not in well
    silent = "\n".join(cluster_lines(ClusterStatus(SPEC, True, [LEFT]), ""))
    assert "Kubernetes (no answer)" in silent and "does not answer" in silent


def test_a_process_is_a_row_with_its_log() -> None:
    lines = process_lines(ClusterStatus(SPEC, False, [LEFT]))
    assert lines[1].split() == ["apiserver", "control-plane", "unsupervised", "0", "/log"]
