"""Rules for ConfigMaps and Secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pybernetes.api.go_text import json_kind
from pybernetes.api.json_syntax import TOO_DEEP, is_too_deep, syntax_error
from pybernetes.api.names import config_map_key
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import ConfigMap, Secret
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.texts import too_long

_MAX_SIZE = 1024 * 1024
_SEALED = "field is immutable when `immutable` is set"
_DOCKER = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}


def _too_large(path: str, size: int) -> list[FieldError]:
    return [too_long(path, _MAX_SIZE)] if size > _MAX_SIZE else []


def _keys(keys: Iterable[str], path: str) -> list[FieldError]:
    return [invalid(f"{path}[{key}]", key, text) for key in keys for text in config_map_key(key)]


def validate_config_map(config_map: ConfigMap) -> list[FieldError]:
    errors = _keys(config_map.data, "data")
    for key in config_map.data:
        if key in config_map.binary_data:
            errors.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
    errors += _keys(config_map.binary_data, "binaryData")
    size = sum(len(text.encode()) for text in config_map.data.values())
    return errors + _too_large("[]", size + sum(len(value) for value in config_map.binary_data.values()))


def validate_config_map_update(new: ConfigMap, old: ConfigMap) -> list[FieldError]:
    errors = _validate_sealed(new, old)
    if old.immutable and new.binary_data != old.binary_data:
        errors.append(forbidden_field("binaryData", _SEALED))
    return errors + validate_config_map(new)


def _validate_sealed(new: ConfigMap | Secret, old: ConfigMap | Secret) -> list[FieldError]:
    if not old.immutable:
        return []
    errors = [] if new.immutable else [forbidden_field("immutable", _SEALED)]
    return errors if new.data == old.data else [*errors, forbidden_field("data", _SEALED)]


def validate_secret(secret: Secret) -> list[FieldError]:
    errors = _keys(secret.data, "data")
    errors += _too_large("data", sum(len(value) for value in secret.data.values()))
    return errors + _validate_type(secret)


def _validate_type(secret: Secret) -> list[FieldError]:
    if secret.type == "kubernetes.io/service-account-token":
        if secret.metadata.annotations.get("kubernetes.io/service-account.name"):
            return []
        return [required("metadata.annotations[kubernetes.io/service-account.name]")]
    if secret.type == "kubernetes.io/tls":
        return _needed(secret, "tls.crt", "tls.key")
    if secret.type == "kubernetes.io/ssh-auth":
        return [] if secret.data.get("ssh-privatekey") else [required("data[ssh-privatekey]")]
    if secret.type == "kubernetes.io/basic-auth":
        one = "username" in secret.data or "password" in secret.data
        return [] if one else _needed(secret, "username", "password")
    if secret.type in _DOCKER:
        return _validate_docker(secret, _DOCKER[secret.type])
    return []


def _needed(secret: Secret, *keys: str) -> list[FieldError]:
    return [required(f"data[{key}]") for key in keys if key not in secret.data]


def _validate_docker(secret: Secret, key: str) -> list[FieldError]:
    if key not in secret.data:
        return [required(f"data[{key}]")]
    problem = TOO_DEEP if is_too_deep(secret.data[key]) else syntax_error(secret.data[key])
    if problem:
        return [invalid(f"data[{key}]", "<secret contents redacted>", problem)]
    content = json.loads(secret.data[key].decode("latin-1"))
    if content is None or isinstance(content, dict):
        return []
    detail = f"json: cannot unmarshal {json_kind(content)} into Go value of type map[string]interface {{}}"
    return [invalid(f"data[{key}]", "<secret contents redacted>", detail)]


def validate_secret_update(new: Secret, old: Secret) -> list[FieldError]:
    return immutable(new.type, old.type, "type") + _validate_sealed(new, old) + validate_secret(new)
