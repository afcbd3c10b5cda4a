"""Strategies of ConfigMaps, Secrets and ServiceAccounts."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.core_v1 import ObjectReference, Secret, ServiceAccount
from pybernetes.apiserver.resources.prepare import keep_generation
from pybernetes.apiserver.resources.strategy import Strategy


def _default_secret(secret: Secret) -> None:
    """`stringData` is for writing only: it goes into `data`."""
    if secret.string_data:
        secret.data = {**secret.data, **{key: text.encode() for key, text in secret.string_data.items()}}
        secret.string_data = {}
    secret.type = secret.type or "Opaque"


def _secret_fields(secret: Secret) -> Mapping[str, str]:
    return {"type": secret.type or ""}


def _bare_references(account: ServiceAccount) -> None:
    """Of the secrets of an account only the names count."""
    account.secrets = [ObjectReference(name=secret.name) for secret in account.secrets]


def _prepare_account_update(new: ServiceAccount, old: ServiceAccount) -> None:
    keep_generation(new, old)
    _bare_references(new)


CONFIG_MAP = Strategy(prepare_update=keep_generation)
SECRET = Strategy(
    default=_default_secret,
    prepare_update=keep_generation,
    fields=_secret_fields,
    field_names=frozenset({"type"}),
)
SERVICE_ACCOUNT = Strategy(
    prepare_create=_bare_references, prepare_update=_prepare_account_update, returns_deleted=True
)
