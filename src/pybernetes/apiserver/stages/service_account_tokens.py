"""Service-account tokens: issued for TokenRequests, verified for requests, published as JWKS.

A ServiceAccount and a TokenRequestSpec go in, a signed token comes out (`token_requests` asks); a token goes in and
the user it stands for comes out (`authentication` asks, `token_holders` knows). The OpenID paths show the key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.authentication_v1 import TokenRequestSpec
from pybernetes.api.types.core_v1 import Secret, ServiceAccount
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages import jws
from pybernetes.apiserver.stages.jws import InvalidToken
from pybernetes.apiserver.stages.token_holders import LEGACY_ISSUER, bound_user, check_times, legacy_user
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock

DEFAULT_SECONDS = 3600
# A kubelet asks for exactly this; the token then really lives for a year, so that old clients which never re-read
# the file go on working, and says in `warnafter` when it ought to have been renewed.
_EXTENDED_FOR_SECONDS = 3607
_EXTENSION_SECONDS = 365 * 24 * 3600


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
    _key: jws.PrivateKey = field(init=False)
    _keys: dict[str, jws.PublicKey] = field(init=False)

    def __post_init__(self) -> None:
        self._key = jws.load_private_key(self.private_key)
        self.audiences = self.audiences or (self.issuer,)
        public = self._key.public_key()
        self._keys = {jws.key_id(public): public}

    def issue(self, account: ServiceAccount, spec: TokenRequestSpec, bound: Bound) -> tuple[str, str]:
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
        return parsed.claims.get("iss") in (self.issuer, LEGACY_ISSUER)

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
        if claims.get("iss") == LEGACY_ISSUER:
            return Verified(legacy_user(claims, parsed, reader, used), shared)
        now = self.clock.now()
        check_times(claims, now)
        return Verified(bound_user(claims, reader, now), shared)


def _named(name: str, uid: str) -> dict[str, str]:
    return {"name": name, "uid": uid}


def _strings(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _quoted(texts: Sequence[str]) -> str:
    return "[" + " ".join(f'"{text}"' for text in texts) + "]"
