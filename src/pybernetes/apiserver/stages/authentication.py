"""Who asks: client certificates, static tokens, service-account tokens and bootstrap tokens, tried in that order.

A request comes in from the pipeline and a UserInfo goes out; no credentials make the anonymous user, bad ones an error
401. Users of static tokens and of certificates cost one dictionary look-up per request; the tokens that need a
signature checked are remembered for ten seconds. TokenReview asks the same methods through `user_of_token`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pybernetes.api.status import aggregate, unauthorized
from pybernetes.api.types.core_v1 import Secret
from pybernetes.api.wire import Peer, Request
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import ANONYMOUS, UserInfo
from pybernetes.apiserver.stages import jws
from pybernetes.apiserver.stages.bootstrap_tokens import bootstrap_user
from pybernetes.apiserver.stages.jws import InvalidToken
from pybernetes.apiserver.stages.service_account_tokens import TokenIssuer
from pybernetes.apiserver.stages.static_tokens import AUTHENTICATED
from pybernetes.environment.clock import Clock

_log = logging.getLogger(__name__)
_REMEMBERED_SECONDS = 10.0
_MOST_REMEMBERED = 10_000
_CREDENTIAL = "authentication.kubernetes.io/credential-id"
WEB_SOCKET_TOKEN = "base64url.bearer.authorization.k8s.io."


@dataclass(frozen=True, slots=True)
class TokenUser:
    """A token that holds: its user, and which of the asked audiences it is for (None: it knows no audiences)."""

    user: UserInfo
    audiences: tuple[str, ...] | None = None


class TokenMethod(Protocol):
    """One way to recognise a bearer token."""

    def recognise(self, token: str, audiences: Sequence[str]) -> TokenUser | None:
        """The user of the token; None when it is none of this method's; InvalidToken when it is, but does not hold."""


class StaticTokens:
    """The tokens of `--token-auth-file`."""

    def __init__(self, users: Mapping[str, UserInfo]) -> None:
        self.users = dict(users)

    def recognise(self, token: str, audiences: Sequence[str]) -> TokenUser | None:
        user = self.users.get(token)
        return TokenUser(user) if user else None


class ServiceAccountTokens:
    """Tokens that our own issuer has signed; `used` is told of the Secrets of those that never end."""

    def __init__(
        self, issuer: TokenIssuer, reader: Reader, used: Callable[[Secret], None] = lambda _secret: None
    ) -> None:
        self._issuer = issuer
        self._reader = reader
        self._used = used

    def recognise(self, token: str, audiences: Sequence[str]) -> TokenUser | None:
        if token.count(".") != 2:
            return None
        parsed = jws.parse(token)
        if not self._issuer.is_ours(parsed):
            return None
        verified = self._issuer.verify(parsed, audiences, self._reader, self._used)
        return TokenUser(verified.user, verified.audiences)


class BootstrapTokens:
    """Tokens with which new nodes join."""

    def __init__(self, clock: Clock, reader: Reader) -> None:
        self._clock = clock
        self._reader = reader

    def recognise(self, token: str, audiences: Sequence[str]) -> TokenUser | None:
        user = bootstrap_user(token, self._clock.now(), self._reader)
        return TokenUser(user) if user else None


class Authenticator:
    """Finds the user of a request. `audiences` are those that a token must be for; `anonymous` lets strangers in."""

    def __init__(
        self, *methods: TokenMethod, clock: Clock, audiences: Sequence[str] = (), anonymous: bool = True
    ) -> None:
        self._methods = methods
        self._clock = clock
        self.audiences = tuple(audiences)
        self._anonymous = anonymous
        self._static: dict[str, UserInfo] = {}
        for method in methods:
            if isinstance(method, StaticTokens):
                self._static.update(method.users)
        self._certificates: dict[tuple[str, tuple[str, ...], str, str], UserInfo] = {}
        # Digest of a token -> (monotonic second until which it is believed, its user).
        self._remembered: dict[bytes, tuple[float, UserInfo]] = {}

    async def authenticate(self, request: Request) -> UserInfo:
        """The user of a request; StatusError 401 for credentials that do not hold."""
        if request.peer.common_name:
            return self._certificate_user(request.peer)
        token = bearer_token(request.headers)
        if token:
            return self._static.get(token) or self._token_user(token)
        if not self._anonymous:
            raise unauthorized()
        return ANONYMOUS

    def _certificate_user(self, peer: Peer) -> UserInfo:
        key = (peer.common_name, peer.organizations, peer.uid, peer.fingerprint)
        user = self._certificates.get(key)
        if user is None:
            extra = {_CREDENTIAL: (f"X509SHA256={peer.fingerprint}",)} if peer.fingerprint else {}
            user = _authenticated(UserInfo(peer.common_name, peer.uid, peer.organizations, extra))
            if len(self._certificates) >= _MOST_REMEMBERED:
                self._certificates.clear()
            self._certificates[key] = user
        return user

    def _token_user(self, token: str) -> UserInfo:
        digest = hashlib.sha256(token.encode()).digest()
        now = self._clock.monotonic()
        remembered = self._remembered.get(digest)
        if remembered is not None and remembered[0] > now:
            return remembered[1]
        try:
            user = self.user_of_token(token, self.audiences).user
        except InvalidToken as error:
            _log.debug("a bearer token was refused: %s", error)
            raise unauthorized() from error
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = (now + _REMEMBERED_SECONDS, user)
        return user

    def user_of_token(self, token: str, audiences: Sequence[str]) -> TokenUser:
        """The user of a token that is good for one of the audiences; InvalidToken with all the reasons otherwise."""
        reasons: list[str] = []
        for method in self._methods:
            try:
                found = method.recognise(token, audiences)
            except InvalidToken as error:
                reasons.append(str(error))
                continue
            if found is not None:
                return replace(found, user=_authenticated(found.user))
        raise InvalidToken(aggregate(["invalid bearer token", *reasons]))


def _authenticated(user: UserInfo) -> UserInfo:
    is_told = AUTHENTICATED in user.groups or "system:unauthenticated" in user.groups
    if is_told or user.name == ANONYMOUS.name:
        return user
    return replace(user, groups=(*user.groups, AUTHENTICATED))


def bearer_token(headers: Mapping[str, str]) -> str:
    """The bearer token of a request, from `authorization` or a WebSocket sub-protocol; empty when there is none."""
    scheme, *words = headers.get("authorization", "").strip().split(" ", 2)
    if scheme.lower() == "bearer" and words and words[0]:
        return words[0]
    if headers.get("upgrade", "").lower() != "websocket":
        return ""
    protocols = [protocol.strip() for protocol in headers.get("sec-websocket-protocol", "").split(",")]
    tokens = [text.removeprefix(WEB_SOCKET_TOKEN) for text in protocols if text.startswith(WEB_SOCKET_TOKEN)]
    # There must be a protocol besides to speak, and no doubt about who speaks it.
    if tokens and (len(tokens) > 1 or len(protocols) == 1):
        raise unauthorized()
    return _decoded(tokens[0]) if tokens else ""


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise unauthorized() from error
