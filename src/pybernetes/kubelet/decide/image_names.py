"""Image names: when to pull, what is wrong with them, whose credentials they need; pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from pybernetes.api.types.core_v1 import Secret
from pybernetes.kubelet.runtime import Credentials

_NAME = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?"
)


def default_policy(name: str) -> str:
    """Always for a name that moves (no tag, or latest), else IfNotPresent."""
    if "@" in name:
        return "IfNotPresent"
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return "Always" if not colon or tag == "latest" else "IfNotPresent"


def name_problem(name: str) -> str:
    """Why a name is none, in upstream's words; empty when it is one."""
    if _NAME.fullmatch(name):
        return ""
    lower = ": repository name must be lowercase" if _NAME.fullmatch(name.lower()) else ""
    text = f'couldn\'t parse image name "{name}": invalid reference format{lower}'
    return f'Failed to apply default image tag "{name}": {text}'


def registry_of(name: str) -> str:
    """The host that holds an image."""
    first, slash, _ = name.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def credentials_for(name: str, secret: Secret) -> Credentials | None:
    """What a pull secret says of the image's registry."""
    try:
        if ".dockerconfigjson" in secret.data:
            entries: dict[str, Any] = json.loads(secret.data[".dockerconfigjson"])["auths"]
        elif ".dockercfg" in secret.data:
            entries = json.loads(secret.data[".dockercfg"])
        else:
            return None
    except (ValueError, KeyError):
        return None
    registry = registry_of(name)
    for server, entry in entries.items():
        host = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
        if host.removeprefix("index.") == registry or host == registry:
            return _entry(server, entry)
    return None


def _entry(server: str, entry: dict[str, str]) -> Credentials | None:
    if entry.get("username"):
        return Credentials(entry["username"], entry.get("password", ""), server)
    try:
        user, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(user, password, server) if user else None
