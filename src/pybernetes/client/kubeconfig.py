"""Kubeconfig files, and the folder that a pod gets of its service account: both become a `ClientConfig`.

Commands and components read them at their start; `pyb` writes one for a new cluster. Faults are `ConfigError`.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pybernetes.client.config import ClientConfig
from pybernetes.client.errors import ConfigError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def kubeconfig_paths(environ: Mapping[str, str]) -> list[Path]:
    """The files that count: those of KUBECONFIG, else ~/.kube/config."""
    listed = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return listed or [Path(environ.get("HOME", "/root")) / ".kube" / "config"]


class Kubeconfig:
    """Clusters, users and contexts by name, in their own words; file names in it are absolute."""

    def __init__(self) -> None:
        self.current_context = ""
        self.clusters: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.contexts: dict[str, dict[str, Any]] = {}

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Kubeconfig:
        """Merges files; what an earlier one says wins. A file that does not exist counts as empty."""
        merged = cls()
        for path in paths:
            merged._merge(_document(path), path.parent)
        return merged

    def client_config(self, context: str = "") -> ClientConfig:
        """What a context (the current one when empty) means."""
        name = context or self.current_context
        if not name:
            raise ConfigError("there is no current context: name one, or write a kubeconfig")
        chosen = _named(self.contexts, "context", name)
        cluster = _named(self.clusters, "cluster", str(chosen.get("cluster", "")))
        user = _named(self.users, "user", str(chosen["user"])) if chosen.get("user") else {}
        return _client_config(cluster, user, str(chosen.get("namespace") or "default"))

    def add(self, name: str, config: ClientConfig) -> None:
        """Puts a cluster, user and context of this name in, replacing older ones, and makes it the current one."""
        self.clusters[name] = _cluster_entry(config)
        self.users[name] = _user_entry(config)
        self.contexts[name] = {"cluster": name, "user": name, "namespace": config.namespace}
        self.current_context = name

    def remove(self, name: str) -> None:
        """Takes out what `add` of this name put in."""
        for entries in (self.clusters, self.users, self.contexts):
            entries.pop(name, None)
        if self.current_context == name:
            self.current_context = ""

    def write(self, path: Path) -> None:
        """Replaces the file in one step; only its owner may read it."""
        text = yaml.safe_dump(self.document(), sort_keys=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        part.replace(path)

    def document(self) -> dict[str, Any]:
        """The content of a file."""
        lists = {
            plural: [{"name": name, singular: entry} for name, entry in getattr(self, plural).items()]
            for plural, singular in _LISTS.items()
        }
        return {"apiVersion": "v1", "kind": "Config", **lists, "current-context": self.current_context}

    def _merge(self, document: Mapping[str, Any], folder: Path) -> None:
        self.current_context = self.current_context or str(document.get("current-context") or "")
        for plural, singular in _LISTS.items():
            entries: dict[str, dict[str, Any]] = getattr(self, plural)
            for item in document.get(plural) or ():
                entries.setdefault(str(item.get("name", "")), _absolute(item.get(singular) or {}, folder))


def in_cluster_config(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> ClientConfig:
    """The configuration of a pod: its service account's token, and the Service `kubernetes` of its environment."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise ConfigError("not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set")
    try:
        authority = (folder / "ca.crt").read_bytes()
        namespace = (folder / "namespace").read_text().strip()
    except OSError as error:
        raise ConfigError(f"the service account cannot be read: {error}") from error
    return ClientConfig(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        namespace=namespace or "default",
        certificate_authority=authority,
        token_file=str(folder / "token"),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader)
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the kubeconfig {path}: {error}") from error
    if document is not None and not isinstance(document, dict):
        raise ConfigError(f"{path} is no kubeconfig: it holds no mapping")
    for plural, singular in _LISTS.items():
        if not _is_list_of(singular, (document or {}).get(plural) or []):
            raise ConfigError(f'{path} is no kubeconfig: "{plural}" must be a list, each with a name and a {singular}')
    return document or {}


def _is_list_of(singular: str, items: object) -> bool:
    return isinstance(items, list) and all(
        isinstance(item, dict) and isinstance(item.get(singular) or {}, dict) for item in items
    )


def _absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """File names in a kubeconfig are relative to its folder."""
    files = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
    return {key: str(folder / value) if key in files and value else value for key, value in entry.items()}


def _named(entries: Mapping[str, dict[str, Any]], what: str, name: str) -> dict[str, Any]:
    if name not in entries:
        raise ConfigError(f'{what} "{name}" does not exist in the kubeconfig')
    return entries[name]


def _client_config(cluster: Mapping[str, Any], user: Mapping[str, Any], namespace: str) -> ClientConfig:
    for unsupported in ("exec", "auth-provider"):
        if unsupported in user:
            raise ConfigError(
                f"the kubeconfig's user needs a credential plug-in ({unsupported}), which is not supported"
            )
    server = str(cluster.get("server") or "")
    if not server.startswith(("https://", "http://")):
        raise ConfigError(f'the kubeconfig names no server URL: "{server}"')
    return ClientConfig(
        server=server.rstrip("/"),
        namespace=namespace,
        certificate_authority=_pem(cluster, "certificate-authority"),
        client_certificate=_pem(user, "client-certificate"),
        client_key=_pem(user, "client-key"),
        token=str(user.get("token") or ""),
        token_file=str(user.get("tokenFile") or ""),
        username=str(user.get("username") or ""),
        password=str(user.get("password") or ""),
        tls_server_name=str(cluster.get("tls-server-name") or ""),
        insecure_skip_tls_verify=bool(cluster.get("insecure-skip-tls-verify")),
    )


def _pem(entry: Mapping[str, Any], key: str) -> bytes:
    """Inline data goes before a file."""
    try:
        if entry.get(f"{key}-data"):
            return base64.b64decode(entry[f"{key}-data"], validate=True)
        return Path(entry[key]).read_bytes() if entry.get(key) else b""
    except (OSError, binascii.Error) as error:
        raise ConfigError(f"{key} of the kubeconfig cannot be read: {error}") from error


def _cluster_entry(config: ClientConfig) -> dict[str, Any]:
    entry = {
        "server": config.server,
        "certificate-authority-data": base64.b64encode(config.certificate_authority).decode(),
        "tls-server-name": config.tls_server_name,
        "insecure-skip-tls-verify": config.insecure_skip_tls_verify,
    }
    return {key: value for key, value in entry.items() if value}


def _user_entry(config: ClientConfig) -> dict[str, Any]:
    entry = {
        "client-certificate-data": base64.b64encode(config.client_certificate).decode(),
        "client-key-data": base64.b64encode(config.client_key).decode(),
        "token": config.token,
        "tokenFile": config.token_file,
        "username": config.username,
        "password": config.password,
    }
    return {key: value for key, value in entry.items() if value}
