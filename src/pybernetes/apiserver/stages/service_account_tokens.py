"""Service-account tokens: issued for TokenRequests, verified for requests, published as JWKS.

A ServiceAccount and a TokenRequestSpec go in, a signed token comes out; a token goes in and the user it stands for
comes out. Whether the objects a token is bound to still exist is read from memory. Called by the `token`
sub-resource of serviceaccounts, by `authentication` and by the OpenID discovery paths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.legacy_tokens import INVALID_SINCE
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import bad_request, conflict, invalid, invalid_object, not_found
from pybernetes.api.types.authentication_v1 import (
    BoundObjectReference,
    TokenRequest,
    TokenRequestSpec,
    TokenRequestStatus,
)
from pybernetes.api.types.core_v1 import Node, Pod, Secret, ServiceAccount
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages import jws
from pybernetes.apiserver.stages.jws import InvalidToken
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock

DEFAULT_SECONDS = 3600
_SHORTEST_SECONDS = 600
_LONGEST_SECONDS = 1 << 32
# A kubelet asks for exactly this; the token then really lives for a year, so that old clients which never re-read
# the file go on working, and says in `warnafter` when it ought to have been renewed.
_EXTENDED_FOR_SECONDS = 3607
_EXTENSION_SECONDS = 365 * 24 * 3600
# What has ended counts as lasting for this long: an expired token, and an object that is being deleted.
_LEEWAY = timedelta(seconds=60)
_INVALIDATED = "service account token has been invalidated"
_LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY_CLAIMS = "kubernetes.io/serviceaccount/"
_PREFIX = "authentication.kubernetes.io/"
TOKEN_REQUEST = Kind("authentication.k8s.io", "v1", "tokenrequests", TokenRequest)
_BINDABLE: dict[tuple[str, str], type[ApiObject]] = {("v1", "Pod"): Pod, ("v1", "Secret"): Secret, ("v1", "Node"): Node}


def service_account_user(namespace: str, name: str, uid: str = "") -> UserInfo:
    """The user that stands for a service account, without `system:authenticated`."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return UserInfo(f"system:serviceaccount:{namespace}:{name}", uid, groups)


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that holds: whose it is and for which of the asked audiences."""

    user: UserInfo
    audiences: tuple[str, ...]


@dataclass(frozen=True)
class Bound:
    """What a token is bound to besides its account; a pod brings the node it runs on."""

    kind: str = ""  # Pod, Secret, Node or nothing
    object: ApiObject | None = None
    node_name: str = ""
    node_uid: str = ""


@dataclass
class TokenIssuer:
    """Issues and verifies tokens with one key. `audiences` are the API server's own, by default the issuer."""

    private_key: bytes  # PEM
    issuer: str
    clock: Clock
    chance: Chance
    audiences: tuple[str, ...] = ()
    # PEM of further public keys whose tokens are accepted, such as those of a key before this one.
    further_keys: Sequence[bytes] = ()
    _key: jws.PrivateKey = field(init=False)
    _keys: dict[str, jws.PublicKey] = field(init=False)

    def __post_init__(self) -> None:
        self._key = jws.load_private_key(self.private_key)
        self.audiences = self.audiences or (self.issuer,)
        publics = [self._key.public_key(), *(_public_key(pem) for pem in self.further_keys)]
        self._keys = {jws.key_id(key): key for key in publics}

    def issue(self, account: ServiceAccount, spec: TokenRequestSpec, bound: Bound = Bound()) -> tuple[str, str]:  # noqa: B008
        """The token and its expiry (RFC 3339); `spec` has its defaults."""
        now = self.clock.now().replace(microsecond=0)
        seconds = spec.expiration_seconds or DEFAULT_SECONDS
        expiry = now + timedelta(seconds=seconds)
        claims = self._claims(account, spec, bound, now)
        claims["exp"] = int(expiry.timestamp())
        if seconds == _EXTENDED_FOR_SECONDS and set(claims["aud"]) <= set(self.audiences):
            claims["kubernetes.io"]["warnafter"] = claims["exp"]
            claims["exp"] = int(now.timestamp()) + _EXTENSION_SECONDS
        return jws.sign(self._key, claims), expiry.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _claims(self, account: ServiceAccount, spec: TokenRequestSpec, bound: Bound, now: datetime) -> dict[str, Any]:
        meta = account.metadata
        private: dict[str, Any] = {"namespace": meta.namespace}
        if bound.node_name:
            private["node"] = _named(bound.node_name, bound.node_uid)
        if bound.object is not None:
            private[bound.kind.lower()] = _named(bound.object.metadata.name or "", bound.object.metadata.uid or "")
        private["serviceaccount"] = _named(meta.name or "", meta.uid or "")
        seconds = int(now.timestamp())
        return {
            "aud": list(spec.audiences or self.audiences),
            "iat": seconds,
            "iss": self.issuer,
            "jti": self.chance.uid(),
            "kubernetes.io": private,
            "nbf": seconds,
            "sub": f"system:serviceaccount:{meta.namespace}:{meta.name}",
        }

    def issue_legacy(self, account: ServiceAccount, secret_name: str) -> str:
        """The token of a Secret of type kubernetes.io/service-account-token: it does not expire."""
        prefix = _LEGACY_CLAIMS
        meta = account.metadata
        claims = {
            "iss": _LEGACY_ISSUER,
            f"{prefix}namespace": meta.namespace,
            f"{prefix}secret.name": secret_name,
            f"{prefix}service-account.name": meta.name,
            f"{prefix}service-account.uid": meta.uid,
            "sub": f"system:serviceaccount:{meta.namespace}:{meta.name}",
        }
        return jws.sign(self._key, claims)

    def key_set(self) -> dict[str, Any]:
        """The document at /openid/v1/jwks."""
        return {"keys": [jws.jwk(key) for key in self._keys.values()]}

    def discovery(self, jwks_uri: str) -> dict[str, Any]:
        """The document at /.well-known/openid-configuration."""
        return {
            "issuer": self.issuer,
            "jwks_uri": jwks_uri,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({jws.algorithm(key) for key in self._keys.values()}),
        }

    def is_ours(self, parsed: jws.Parsed) -> bool:
        """Whether we claim to have issued the token."""
        return parsed.claims.get("iss") in (self.issuer, _LEGACY_ISSUER)

    def verify(
        self, parsed: jws.Parsed, audiences: Sequence[str], reader: Reader, used: Callable[[Secret], None]
    ) -> Verified:
        """Proves signature, life time, audience and that account and bound objects still exist; else InvalidToken.

        `used` is told of the Secret of a lasting token.
        """
        claims = jws.verify(parsed, self._keys)
        # What says nothing is for the API server.
        meant = _strings(claims.get("aud")) or list(self.audiences)
        shared = tuple(audience for audience in audiences if audience in meant)
        if not shared:
            raise InvalidToken(
                f"token audiences {_quoted(meant)} is invalid for the target audiences {_quoted(audiences)}"
            )
        if claims.get("iss") == _LEGACY_ISSUER:
            return Verified(_legacy_user(claims, parsed, reader, used), shared)
        now = self.clock.now()
        _check_times(claims, now)
        return Verified(_bound_user(claims, reader, now), shared)


def _public_key(pem: bytes) -> jws.PublicKey:
    key = serialization.load_pem_public_key(pem)
    if not isinstance(key, jws.PublicKey):
        raise ValueError("a service account key must be an RSA or a P-256 key")
    return key


def _named(name: str, uid: str) -> dict[str, str]:
    return {"name": name, "uid": uid}


def _strings(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _quoted(texts: Sequence[str]) -> str:
    return "[" + " ".join(f'"{text}"' for text in texts) + "]"


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
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


def _bound_user(claims: Mapping[str, Any], reader: Reader, now: datetime) -> UserInfo:
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


def _legacy_user(
    claims: Mapping[str, Any], parsed: jws.Parsed, reader: Reader, used: Callable[[Secret], None]
) -> UserInfo:
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


def complete_request(request: TokenRequest, account: ServiceAccount, issuer: TokenIssuer) -> None:
    """Fills in what a TokenRequest for an account leaves open.

    Raises StatusError: 422 for a bad duration or another account's name, 409 for another account's uid.
    """
    spec, metadata, owner = request.spec, request.metadata, account.metadata
    if metadata.name and metadata.name != owner.name:
        wrong = invalid("metadata.name", metadata.name, "must match the service account name if specified")
        raise invalid_object(TOKEN_REQUEST, owner.name or "", [wrong])
    if metadata.uid and metadata.uid != owner.uid:
        raise conflict(
            # As below, an error that names the kind.
            Kind(TOKEN_REQUEST.group, TOKEN_REQUEST.version, TOKEN_REQUEST.name, TokenRequest),
            owner.name or "",
            f"the UID in the token request ({metadata.uid}) does not match the UID of the service account "
            f"({owner.uid})",
        )
    if spec.expiration_seconds is None:
        spec.expiration_seconds = DEFAULT_SECONDS
    if not spec.audiences:
        spec.audiences = list(issuer.audiences)
    metadata.name, metadata.namespace, metadata.uid = owner.name, owner.namespace, owner.uid
    metadata.creation_timestamp = issuer.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    request.status = TokenRequestStatus()
    _check_duration(spec.expiration_seconds)


def request_token(request: TokenRequest, account: ServiceAccount, issuer: TokenIssuer, reader: Reader) -> TokenRequest:
    """Answers a complete TokenRequest for an account in its status; 404 / 409 / 400 for a bad bound object."""
    bound = _resolve(request.spec.bound_object_ref, account, reader)
    request.status.token, request.status.expiration_timestamp = issuer.issue(account, request.spec, bound)
    return request


def _check_duration(seconds: int) -> None:
    field_name = "spec.expirationSeconds"
    if seconds < _SHORTEST_SECONDS:
        error = invalid(field_name, seconds, "may not specify a duration less than 10 minutes")
    elif seconds > _LONGEST_SECONDS:
        error = invalid(field_name, seconds, "may not specify a duration larger than 2^32 seconds")
    else:
        return
    raise invalid_object(TOKEN_REQUEST, "", [error])


def _resolve(reference: BoundObjectReference | None, account: ServiceAccount, reader: Reader) -> Bound:
    if reference is None:
        return Bound()
    type_ = _BINDABLE.get((reference.api_version or "", reference.kind or ""))
    if type_ is None:
        group, _, version = (reference.api_version or "").rpartition("/")
        raise bad_request(f"cannot bind token to object of type {group}/{version}, Kind={reference.kind or ''}")
    kind, name = kind_of(type_), reference.name or ""
    found = reader.get(type_, name, (account.metadata.namespace or "") if kind.namespaced else "")
    if found is None:
        raise not_found(kind, name)
    if isinstance(found, Pod) and (found.spec.service_account_name or "") != account.metadata.name:
        text = f'cannot bind token for serviceaccount "{account.metadata.name}" to pod running with different '
        raise bad_request(f"{text}serviceaccount name.")
    if reference.uid and reference.uid != found.metadata.uid:
        raise conflict(
            # These errors name the kind where others name the resource.
            Kind("", "v1", kind.name, type_),
            name,
            f"the UID in the bound object reference ({reference.uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        )
    node_name = (found.spec.node_name or "") if isinstance(found, Pod) else ""
    node = reader.get(Node, node_name) if node_name else None
    return Bound(kind.name, found, node_name, (node.metadata.uid or "") if node else "")
