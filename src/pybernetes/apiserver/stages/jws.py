"""Signed tokens (JWS compact form) with RS256 and ES256, over `cryptography`.

A private key (PEM) and claims go in and a token comes out; a token and known public keys go in and claims come out.
Called by `service_account_tokens`. Nothing here knows what claims mean.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_P256_BYTES = 32


class InvalidToken(Exception):
    """The token is malformed, badly signed, or says something that does not hold."""


def to_base64url(data: bytes) -> str:
    """Base64 for URLs without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The reverse of `to_base64url`; InvalidToken when it is none."""
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("not base64url") from error


def key_id(key: PublicKey) -> str:
    """The `kid` of a key: the hash of its public half, as Kubernetes computes it."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return to_base64url(hashlib.sha256(der).digest())


def algorithm(key: PublicKey) -> str:
    """RS256 or ES256, the only algorithms spoken here; a token cannot choose another one."""
    return "RS256" if isinstance(key, rsa.RSAPublicKey) else "ES256"


def load_private_key(pem: bytes) -> PrivateKey:
    """An RSA or P-256 private key; ValueError for any other."""
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("the service account signing key must be an RSA or a P-256 key")


def sign(key: PrivateKey, claims: dict[str, Any]) -> str:
    """A compact JWS of the claims."""
    public = key.public_key()
    header = {"alg": algorithm(public), "kid": key_id(public)}
    signed = f"{_segment(header)}.{_segment(claims)}"
    return f"{signed}.{to_base64url(_signature(key, signed.encode()))}"


def _segment(value: dict[str, Any]) -> str:
    return to_base64url(json.dumps(value, separators=(",", ":")).encode())


def _signature(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A token taken apart; nothing of it is proven before `verify`."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def parse(token: str) -> Parsed:
    """Takes a compact JWS apart; InvalidToken when it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidToken("not a compact JWS")
    try:
        header = json.loads(from_base64url(parts[0]))
        claims = json.loads(from_base64url(parts[1]))
    except (ValueError, RecursionError) as error:
        raise InvalidToken("not a compact JWS") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidToken("not a compact JWS")
    return Parsed(header, claims, f"{parts[0]}.{parts[1]}".encode(), from_base64url(parts[2]))


def verify(parsed: Parsed, keys: dict[str, PublicKey]) -> dict[str, Any]:
    """The claims, once one of the keys (by key id) is proven to have signed them; InvalidToken otherwise."""
    named = keys.get(str(parsed.header.get("kid", "")))
    for key in (named,) if named is not None else keys.values():
        if parsed.header.get("alg") == algorithm(key) and _holds(key, parsed):
            return parsed.claims
    raise InvalidToken("no known key has signed this token")


def _holds(key: PublicKey, parsed: Parsed) -> bool:
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(parsed.signature, parsed.signed, padding.PKCS1v15(), hashes.SHA256())
        elif len(parsed.signature) == 2 * _P256_BYTES:
            r = int.from_bytes(parsed.signature[:_P256_BYTES], "big")
            s = int.from_bytes(parsed.signature[_P256_BYTES:], "big")
            key.verify(encode_dss_signature(r, s), parsed.signed, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def jwk(key: PublicKey) -> dict[str, str]:
    """The public key as a JSON Web Key."""
    known = {"use": "sig", "kid": key_id(key), "alg": algorithm(key)}
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {**known, "kty": "RSA", "n": _unsigned(numbers.n), "e": _unsigned(numbers.e)}
    point = key.public_numbers()
    return {
        **known,
        "kty": "EC",
        "crv": "P-256",
        "x": to_base64url(point.x.to_bytes(_P256_BYTES, "big")),
        "y": to_base64url(point.y.to_bytes(_P256_BYTES, "big")),
    }


def _unsigned(number: int) -> str:
    return to_base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
