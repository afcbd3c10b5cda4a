"""What stands in certificate requests, as far as controllers read it."""

from __future__ import annotations

from base64 import encodebytes

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pybernetes.controllers import csr_rules


def _request(version: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    signed = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    der = signed.public_bytes(Encoding.DER).replace(b"\x02\x01\x00", b"\x02\x01" + version, 1)
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + encodebytes(der) + b"-----END CERTIFICATE REQUEST-----\n"


def test_who_asks() -> None:
    assert csr_rules.common_name(csr_rules.parse(_request(b"\x00"))) == "somebody"


def test_what_is_of_another_version_is_no_request() -> None:
    with pytest.raises(ValueError, match="version"):
        csr_rules.parse(_request(b"\x07"))
