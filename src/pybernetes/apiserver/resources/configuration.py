"""Strategies of ConfigMaps, Secrets and ServiceAccounts."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.core_v1 import Secret
from pybernetes.apiserver.resources.prepare import keep_generation
from pybernetes.apiserver.resources.strategy import Strategy


def default_secret(secret: Secret) -> None:
    """`stringData` is for writing only: it goes into `data`."""
    if secret.string_data:
        secret.data = {**secret.data, **{key: text.encode() for key, text in secret.string_data.items()}}
        secret.string_data = {}
    secret.type = secret.type or "Opaque"


def _secret_fields(secret: Secret) -> Mapping[str, str]:
    return {"type": secret.type or ""}


CONFIG_MAP = Strategy(prepare_update=keep_generation)
SECRET = Strategy(
    default=default_secret,
    prepare_update=keep_generation,
    fields=_secret_fields,
    field_names=frozenset({"type"}),
)
SERVICE_ACCOUNT = Strategy(prepare_update=keep_generation, returns_deleted=True)
