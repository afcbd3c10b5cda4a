"""The token that says where a list's next page begins; opaque to clients, the same shape as upstream's. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from pybernetes.api.status import bad_request


@dataclass(frozen=True, slots=True)
class Continuation:
    """`revision` -1 means: whatever is current (an inconsistent continuation); `start` is a key below the prefix."""

    revision: int
    start: str


class _Token(msgspec.Struct):
    v: str
    rv: int
    start: str


def encode_token(continuation: Continuation) -> str:
    """The token as URL-safe base64 without padding."""
    document = msgspec.json.encode(_Token("meta.k8s.io/v1", continuation.revision, continuation.start))
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


def decode_token(text: str) -> Continuation:
    """What a token says; 400 when it is none of ours."""
    try:
        document = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        token = msgspec.json.decode(document, type=_Token)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error
    if token.v != "meta.k8s.io/v1" or ".." in token.start:
        raise bad_request("invalid continue token: continue key is not valid")
    return Continuation(token.rv, token.start)
