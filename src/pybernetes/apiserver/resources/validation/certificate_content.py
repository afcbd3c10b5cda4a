"""What stands in the PEM of CertificateSigningRequests: the request that is asked with, the certificates issued for it.

PEM goes in; what is wrong with it comes out in words, or nothing. Called by `certificate_requests`. The cryptography
is imported with the first PEM that has to be read: most servers judge none.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple

_UNREADABLE_REQUEST = "asn1: structure error: no certificate request"
_UNREADABLE_CERTIFICATE = "x509: malformed certificate"


class _Block(NamedTuple):
    kind: str
    headers: bool
    content: bytes


def request_problem(pem: bytes) -> str:
    """Why the PEM holds no certificate request that is signed with the key it is about; empty when it does."""
    block = next(_blocks(pem), None)
    if block is None or block.kind != "CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        request = x509.load_der_x509_csr(block.content)
    except (ValueError, x509.InvalidVersion):
        return _UNREADABLE_REQUEST
    try:
        return "" if request.is_signature_valid else _refusal(request)
    except UnsupportedAlgorithm:
        return "x509: cannot verify signature: algorithm unimplemented"
    except ValueError:
        return _UNREADABLE_REQUEST


def _refusal(request: object) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = request.public_key() if isinstance(request, x509.CertificateSigningRequest) else None
    if isinstance(key, rsa.RSAPublicKey):
        return "crypto/rsa: verification error"
    name = "ECDSA" if isinstance(key, ec.EllipticCurvePublicKey) else "Ed25519"
    return f"x509: {name} verification failure"


def certificate_problem(pem: bytes) -> str:
    """Why the PEM is no sequence of certificates and nothing else; empty when it is one."""
    blocks = list(_blocks(pem))
    for block in blocks:
        if block.kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{block.kind}"'
        if block.headers:
            return "no PEM block headers are permitted"
        if not block.content:
            return "found CERTIFICATE PEM block containing 0 certificates"
        if not _is_certificate(block.content):
            return _UNREADABLE_CERTIFICATE
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"


def _is_certificate(content: bytes) -> bool:
    from cryptography import x509

    try:
        x509.load_der_x509_certificate(content)
    except (ValueError, x509.InvalidVersion):
        return False
    return True


def _blocks(pem: bytes) -> Iterator[_Block]:
    """The blocks that can be read; what stands between them, and blocks that are broken, are passed over."""
    at = 0
    # From each end line back to the last line that begins a block: no line is looked at twice.
    while (end := pem.find(b"\n-----END ", at)) >= 0:
        stop = pem.find(b"\n", end + 1)
        closing = pem[end + 1 : stop if stop >= 0 else len(pem)].rstrip()
        begin = pem.rfind(b"-----BEGIN ", at, end + 1)
        at = end + 1 + len(closing)
        if begin >= 0 and (begin == 0 or pem[begin - 1 : begin] == b"\n"):
            block = _block(pem[begin : end + 1], closing)
            if block is not None:
                yield block


def _block(text: bytes, closing: bytes) -> _Block | None:
    opening, _, body = text.partition(b"\n")
    kind = opening.rstrip().removeprefix(b"-----BEGIN ")
    if not kind.endswith(b"-----") or closing != b"-----END " + kind:
        return None
    lines = body.split(b"\n")
    headers = next((index for index, line in enumerate(lines) if b":" not in line), len(lines))
    try:
        content = base64.b64decode(b"".join(b"".join(lines[headers:]).split()), validate=True)
    except ValueError:
        return None
    return _Block(kind[:-5].decode("utf-8", "replace"), headers > 0, content)
