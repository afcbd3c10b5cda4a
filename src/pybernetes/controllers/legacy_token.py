"""Signs the never-expiring token that a Secret of a service account holds: a JWS with the cluster's service account
key.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pybernetes.api.types.core_v1 import Secret, ServiceAccount

ISSUER = "kubernetes/serviceaccount"


def claims(account: ServiceAccount, secret: Secret) -> dict[str, str]:
    """The claims of a legacy token."""
    namespace, name = account.metadata.namespace or "", account.metadata.name or ""
    return {
        "iss": ISSUER,
        "kubernetes.io/serviceaccount/namespace": namespace,
        "kubernetes.io/serviceaccount/secret.name": secret.metadata.name or "",
        "kubernetes.io/serviceaccount/service-account.name": name,
        "kubernetes.io/serviceaccount/service-account.uid": account.metadata.uid or "",
        "sub": f"system:serviceaccount:{namespace}:{name}",
    }


def key_id(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    """The SHA-256 of the public key in DER form, as upstream names keys."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return _encoded(digest.finalize())


def legacy_token(key_pem: str, account: ServiceAccount, secret: Secret) -> str:
    """The token; `key_pem` is an RSA or ECDSA P-256 private key."""
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("the service account key must be an RSA or ECDSA key")
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    header = {"alg": algorithm, "kid": key_id(key.public_key())}
    signed = f"{_encoded_json(header)}.{_encoded_json(claims(account, secret))}"
    return f"{signed}.{_encoded(_signature(key, signed.encode()))}"


def _signature(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _encoded_json(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
