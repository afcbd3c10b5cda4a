"""A node's container engine: its configuration, its seeded root, its pods' network."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pybernetes.cluster import engine
from pybernetes.cluster.layout import NodeLayout


def test_each_engine_keeps_to_its_own_folders(tmp_path: Path) -> None:
    node = NodeLayout(tmp_path / "data", tmp_path / "run")
    text = engine.config(node.containerd_root, node.containerd_state, node.containerd_socket, node.cni)
    settings = tomllib.loads(text)
    cri = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert settings["root"] == str(tmp_path / "data/containerd")
    assert settings["grpc"]["address"] == str(tmp_path / "run/containerd.sock")
    assert cri["restrict_oom_score_adj"] is True
    assert cri["containerd"]["runtimes"]["runc"]["options"]["Root"].startswith(str(tmp_path / "run"))
    assert cri["cni"]["conf_dir"] == str(node.cni)


def test_a_seeded_root_shares_layers_and_blobs_and_owns_its_databases(tmp_path: Path) -> None:
    template = tmp_path / "template"
    blob = template / "io.containerd.content.v1.content/blobs/sha256/abc"
    layer = template / "io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs"
    database = template / "io.containerd.metadata.v1.bolt/meta.db"
    for path in (blob, layer / "file", database):
        path.parent.mkdir(parents=True)
        path.write_text("content")
    root = tmp_path / "root"
    engine.seed(template, root)
    assert (root / blob.relative_to(template)).samefile(blob)
    assert (root / layer.relative_to(template) / "file").samefile(layer / "file")
    assert not (root / database.relative_to(template)).samefile(database)
    (root / layer.parent.relative_to(template)).unlink()
    assert (layer / "file").exists()


def test_a_node_starts_afresh_when_the_images_changed_and_only_then(tmp_path: Path) -> None:
    node = NodeLayout(tmp_path / "data", tmp_path / "run")
    for name in ("engine-1", "engine-2"):
        (tmp_path / name).mkdir()
    engine.prepare(node, tmp_path / "engine-1")
    (node.containerd_root / "pulled").touch()
    engine.prepare(node, tmp_path / "engine-1")
    engine.prepare(node, None)
    assert (node.containerd_root / "pulled").exists()
    engine.prepare(node, tmp_path / "engine-2")
    assert not (node.containerd_root / "pulled").exists()


def test_pods_get_addresses_of_the_nodes_cidr_and_keep_them_within_the_cluster(tmp_path: Path) -> None:
    node = NodeLayout(tmp_path / "data", tmp_path / "run")
    engine.write_cni_config(node, "one", "worker-1", "10.244.3.0/24")
    bridge, port_map = json.loads((node.cni / "10-pybernetes.conflist").read_text())["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert bridge["ipMasq"] is False
    assert port_map["capabilities"] == {"portMappings": True}


def test_templates_go_when_nobody_leans_on_them_any_more(tmp_path: Path) -> None:
    snapshots = Path("io.containerd.snapshotter.v1.overlayfs/snapshots")
    for name in ("engine-old", "engine-unused", "engine-of-a-node"):
        (tmp_path / name / snapshots / "1").mkdir(parents=True)
    engine.seed(tmp_path / "engine-old", tmp_path / "engine-new")
    node = NodeLayout(tmp_path / "data", tmp_path / "run")
    engine.prepare(node, tmp_path / "engine-of-a-node")
    engine.prune_templates(tmp_path, tmp_path / "engine-new", [node])
    assert sorted(path.name for path in tmp_path.glob("engine-*")) == ["engine-new", "engine-of-a-node", "engine-old"]
