"""Whom a service-account token stands for: the claims of a token whose signature holds go in, its user comes out.

Raises InvalidToken, in upstream's words, where the time of a token is over or the account, or the object that it is
bound to, is not the one that it speaks of any more. Called by `service_account_tokens`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pybernetes.api.kinds import kind_of
from pybernetes.api.legacy_tokens import INVALID_SINCE
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import not_found
from pybernetes.api.types.core_v1 import Node, Pod, Secret, ServiceAccount
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages import jws
from pybernetes.apiserver.stages.jws import InvalidToken

LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY_CLAIMS = "kubernetes.io/serviceaccount/"
_PREFIX = "authentication.kubernetes.io/"
# What has ended counts as lasting for this long: an expired token, and an object that is being deleted.
_LEEWAY = timedelta(seconds=60)
_INVALIDATED = "service account token has been invalidated"


def service_account_user(namespace: str, name: str, uid: str = "") -> UserInfo:
    """The user that stands for a service account, without `system:authenticated`."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return UserInfo(f"system:serviceaccount:{namespace}:{name}", uid, groups)


def check_times(claims: Mapping[str, Any], now: datetime) -> None:
    """InvalidToken unless a token has begun and not ended."""
    seconds = now.timestamp()
    times = (claims.get("exp"), claims.get("nbf", 0), claims.get("iat", 0))
    expiry, start, issued = (time if isinstance(time, int | float) else None for time in times)
    if expiry is None or start is None or issued is None:
        raise InvalidToken("service account token claims could not be validated due to unexpected validation error")
    # Clocks of several API servers may differ.
    leeway = _LEEWAY.total_seconds()
    if expiry < seconds - leeway:
        raise InvalidToken("service account token has expired")
    if start > seconds + leeway:
        raise InvalidToken("service account token is not valid yet")
    if issued > seconds + leeway:
        raise InvalidToken("service account token is issued in the future")


def bound_user(claims: Mapping[str, Any], reader: Reader, now: datetime) -> UserInfo:
    """The holder of a token that was issued for a TokenRequest."""
    private = claims.get("kubernetes.io")
    if not isinstance(private, dict) or not isinstance(private.get("serviceaccount"), dict):
        raise InvalidToken("the token has no private claims")
    namespace, name = str(private.get("namespace", "")), str(private["serviceaccount"].get("name", ""))
    uid = str(private["serviceaccount"].get("uid", ""))
    if claims.get("sub") != f"system:serviceaccount:{namespace}:{name}":
        raise InvalidToken("sub claim does not match")
    _must_live(_account(reader, name, namespace), "service account", uid, now)
    extra: dict[str, tuple[str, ...]] = {}
    if claims.get("jti"):
        extra[f"{_PREFIX}credential-id"] = (f"JTI={claims['jti']}",)
    _check_bound(private, namespace, reader, now)
    for kind in ("node", "pod"):
        if isinstance(private.get(kind), dict):
            extra[f"{_PREFIX}{kind}-name"] = (str(private[kind].get("name", "")),)
            extra[f"{_PREFIX}{kind}-uid"] = (str(private[kind].get("uid", "")),)
    user = service_account_user(namespace, name, uid)
    return UserInfo(user.name, user.uid, user.groups, extra)


def _check_bound(private: Mapping[str, Any], namespace: str, reader: Reader, now: datetime) -> None:
    """A token dies with the pod or secret it is bound to; with the node only when it is bound to nothing nearer."""
    bearers = (("pod", Pod, namespace), ("secret", Secret, namespace), ("node", Node, ""))
    for kind, type_, scope in bearers:
        reference = private.get(kind)
        if isinstance(reference, dict):
            found = reader.get(type_, str(reference.get("name", "")), scope)
            if found is None:
                raise InvalidToken(_INVALIDATED)
            _must_live(found, kind, str(reference.get("uid", "")), now)
            return


def _account(reader: Reader, name: str, namespace: str) -> ServiceAccount:
    account = reader.get(ServiceAccount, name, namespace)
    if account is None:
        raise InvalidToken(str(not_found(kind_of(ServiceAccount), name)))
    return account


def _must_live(found: ApiObject, what: str, uid: str, now: datetime) -> None:
    """InvalidToken unless an object is the very one that a token speaks of, and not gone for long."""
    if (found.metadata.uid or "") != uid:
        claim = "claim" if what == "service account" else f"service account {what} ref claim"
        raise InvalidToken(f"{what} UID ({found.metadata.uid}) does not match {claim} ({uid})")
    deleted = found.metadata.deletion_timestamp
    if deleted and _parse_time(deleted) + _LEEWAY < now:
        is_account = what == "service account"
        raise InvalidToken("service account has been deleted" if is_account else _INVALIDATED)


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def legacy_user(
    claims: Mapping[str, Any], parsed: jws.Parsed, reader: Reader, used: Callable[[Secret], None]
) -> UserInfo:
    """The holder of the lasting token of a Secret; `used` is told of it."""
    prefix = _LEGACY_CLAIMS
    namespace, name, uid, secret_name = (
        str(claims.get(f"{prefix}{key}", ""))
        for key in ("namespace", "service-account.name", "service-account.uid", "secret.name")
    )
    if claims.get("sub") != f"system:serviceaccount:{namespace}:{name}":
        raise InvalidToken("sub claim is invalid")
    secret = reader.get(Secret, secret_name, namespace)
    if secret is None or secret.metadata.deletion_timestamp:
        raise InvalidToken("Token has been invalidated")
    if secret.data.get("token") != parsed.signed + b"." + jws.to_base64url(parsed.signature).encode():
        raise InvalidToken("Token does not match server's copy")
    account = _account(reader, name, namespace)
    if account.metadata.deletion_timestamp:
        raise InvalidToken(f"ServiceAccount {namespace}/{name} has been deleted")
    if account.metadata.uid != uid:
        raise InvalidToken(f"ServiceAccount UID ({account.metadata.uid}) does not match claim ({uid})")
    used(secret)
    if secret.metadata.labels.get(INVALID_SINCE):
        raise InvalidToken(
            f"the token in secret {namespace}/{secret_name} for service account {namespace}/{name} has been marked "
            "invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the "
            f"'{INVALID_SINCE}' label from the secret to temporarily allow use of this token"
        )
    return service_account_user(namespace, name, uid)
