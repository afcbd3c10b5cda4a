"""The token that says where a list's next page begins; opaque to clients, the same shape as upstream's. Pure."""

from __future__ import annotations

import base64
import binascii
import posixpath
from dataclasses import dataclass

import msgspec

from pybernetes.api.json_syntax import syntax_error
from pybernetes.api.status import StatusError, bad_request


@dataclass(frozen=True, slots=True)
class Continuation:
    """`revision` -1 means: whatever is current (an inconsistent continuation).

    `start` is the key to begin at, below the prefix of the whole list: a namespace's, if it is of one.
    """

    revision: int
    start: str


class _Token(msgspec.Struct):
    v: str
    rv: int
    start: str


def encode_token(continuation: Continuation) -> str:
    """The token as URL-safe base64 without padding."""
    document = msgspec.json.encode(_Token("meta.k8s.io/v1", continuation.revision, f"/{continuation.start}"))
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


def decode_token(text: str) -> Continuation:
    """What a token says; 400 when it is none of ours."""
    try:
        document = b""
        document = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        token = msgspec.json.decode(document, type=_Token)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise _not_valid(syntax_error(document) or str(error)) from error
    if token.v != "meta.k8s.io/v1":
        raise _not_valid(f"server does not recognize this encoded version {token.v}")
    if token.rv == 0:
        raise _not_valid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not token.start:
        raise _not_valid("encoded start key empty (version meta.k8s.io/v1)")
    key = token.start if token.start.startswith("/") else f"/{token.start}"
    # Whoever makes tokens up must not get out of the collection.
    if posixpath.normpath(key) != key:
        raise _not_valid(token.start)
    return Continuation(token.rv, key[1:])


def _not_valid(why: str) -> StatusError:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")
