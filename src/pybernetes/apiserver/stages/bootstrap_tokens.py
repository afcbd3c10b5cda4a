"""Bootstrap tokens: `<id>.<secret>`, kept as Secrets `bootstrap-token-<id>` in kube-system.

A token, the current time and the Reader go in; the user that may join a node comes out. Called by `authentication`.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime

from pybernetes.api.types.core_v1 import Secret
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import UserInfo

_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def bootstrap_user(token: str, now: datetime, reader: Reader) -> UserInfo | None:
    """The user of a bootstrap token that exists, may authenticate and has not expired."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    secret = reader.get(Secret, f"bootstrap-token-{match[1]}", "kube-system")
    if secret is None or secret.metadata.deletion_timestamp or secret.type != "bootstrap.kubernetes.io/token":
        return None
    data = secret.data
    if data.get("token-id") != match[1].encode() or data.get("usage-bootstrap-authentication") != b"true":
        return None
    if not hmac.compare_digest(data.get("token-secret", b""), match[2].encode()) or _expired(data, now):
        return None
    listed = data.get("auth-extra-groups", b"").decode(errors="replace")
    extra = sorted(set(listed.split(","))) if listed else []
    if not all(_EXTRA_GROUP.fullmatch(group) for group in extra):
        return None
    return UserInfo(f"system:bootstrap:{match[1]}", groups=("system:bootstrappers", *extra))


def _expired(data: dict[str, bytes], now: datetime) -> bool:
    text = data.get("expiration", b"").decode(errors="replace")
    if not text:
        return False
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) <= now
    except (ValueError, TypeError):
        return True
