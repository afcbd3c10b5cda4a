"""Kubeconfig files as people and other tools write them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from pybernetes.client import ClientConfig, ConfigError
from pybernetes.client.kubeconfig import Kubeconfig, in_cluster_config, kubeconfig_paths

CONFIG = ClientConfig(
    server="https://127.0.0.1:6443",
    namespace="shop",
    certificate_authority=b"CA",
    client_certificate=b"CERT",
    client_key=b"KEY",
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config"
    kubeconfig = Kubeconfig()
    kubeconfig.add("pyb", CONFIG)
    kubeconfig.write(path)
    assert Kubeconfig.read([path]).client_config() == CONFIG
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_other_clusters_stay(tmp_path: Path) -> None:
    path = tmp_path / "config"
    kubeconfig = Kubeconfig()
    kubeconfig.add("other", CONFIG)
    kubeconfig.add("pyb", CONFIG)
    kubeconfig.remove("pyb")
    kubeconfig.write(path)
    again = Kubeconfig.read([path])
    assert (list(again.clusters), again.current_context) == (["other"], "")
    with pytest.raises(ConfigError, match="no current context"):
        again.client_config()


def test_files_are_relative_to_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"CA")
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://h:1/", "certificate-authority": "ca.pem"}}],
        "users": [{"name": "u", "user": {"tokenFile": "token"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(document))
    config = Kubeconfig.read([path]).client_config("x")
    assert config == ClientConfig("https://h:1", certificate_authority=b"CA", token_file=str(tmp_path / "token"))


def test_the_first_file_wins(tmp_path: Path) -> None:
    for number in (1, 2):
        kubeconfig = Kubeconfig()
        kubeconfig.add("pyb", ClientConfig(f"https://h:{number}"))
        kubeconfig.write(tmp_path / str(number))
    merged = Kubeconfig.read([tmp_path / "missing", tmp_path / "1", tmp_path / "2"])
    assert merged.client_config().server == "https://h:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot read the kubeconfig"),
        ("- a", "is no kubeconfig"),
        ("current-context: x", 'context "x" does not exist'),
        ("{current-context: x, contexts: [{name: x, context: {cluster: c}}]}", 'cluster "c" does not exist'),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        Kubeconfig.read([path]).client_config()


def test_where_kubeconfigs_are() -> None:
    assert kubeconfig_paths({"KUBECONFIG": "/a:/b"}) == [Path("/a"), Path("/b")]
    assert kubeconfig_paths({"HOME": "/root"}) == [Path("/root/.kube/config")]


def test_in_a_pod(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")
    (tmp_path / "namespace").write_text("shop")
    environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    config = in_cluster_config(environ, tmp_path)
    assert (config.server, config.namespace) == ("https://10.96.0.1:443", "shop")
    assert config.token_file == str(tmp_path / "token")
    with pytest.raises(ConfigError, match="not in a cluster"):
        in_cluster_config({}, tmp_path)


def test_secrets_do_not_show() -> None:
    assert "s3cret" not in repr(ClientConfig("https://h", token="s3cret", password="s3cret", client_key=b"s3cret"))
