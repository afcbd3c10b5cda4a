"""What is said of certificate requests, and of decisions on them."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.apiserver.resources.validation.causes import merged, on_create, on_status

from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import from_builtins
from pybernetes.apiserver.resources.strategies import strategy_of
from pybernetes.apiserver.resources.validation.certificate_requests import validate_approval

_KEY = ec.generate_private_key(ec.SECP256R1())
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])


def _der(key: Any, hashed: hashes.HashAlgorithm | None = None) -> bytes:
    return x509.CertificateSigningRequestBuilder(_NAME).sign(key, hashed).public_bytes(Encoding.DER)


def _certificate() -> bytes:
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(_NAME, _NAME, _KEY.public_key(), 1, since, until)
    return builder.sign(_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


_REQUEST, _ISSUED = _der(_KEY, hashes.SHA256()), _certificate()


def _spoilt(der: bytes) -> bytes:
    """The same with another signature."""
    return der[:-4] + bytes(byte ^ 0x10 for byte in der[-4:])


def _of_another_version(der: bytes, version: bytes) -> bytes:
    """The same, said to be of a version that there is not; `version` is how it says which one it is of."""
    return der.replace(version, version[:-1] + b"\x07", 1)


def _block(kind: str, content: bytes, headers: str = "", end: str = "") -> str:
    body = b64encode(content).decode()
    return f"-----BEGIN {kind}-----\n{headers}{body}\n-----END {end or kind}-----\n"


def _encoded(*texts: str) -> str:
    return b64encode("".join(texts).encode()).decode()


def _pem(kind: str) -> str:
    contents = {"CERTIFICATE": _ISSUED, "CERTIFICATE REQUEST": _REQUEST}
    return _encoded(_block(kind, contents.get(kind, b"\0")))


def _request(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "spec": {
            "request": _pem("CERTIFICATE REQUEST"),
            "signerName": "example.com/signer",
            "usages": ["client auth"],
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, []),
        ({"signerName": "kubernetes.io/legacy-unknown"},
         ['spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": '
          "the legacy signerName is not allowed via this API version"]),
        ({"signerName": "example/signer"},
         ['spec.signerName: Invalid value: "example": '
          "should be a domain with at least two segments separated by dots"]),
        ({"signerName": "a.b/c/d"},
         ['spec.signerName: Invalid value: "a.b/c/d": '
          "must be a fully qualified domain and path of the form 'example.com/signer-name'"]),
        ({"usages": ["signing", "signing"]}, ['spec.usages[1]: Duplicate value: "signing"']),
    ],
)  # fmt: skip
def test_requests(spec: dict[str, Any], said: list[str]) -> None:
    assert on_create(_request(**spec)) == said


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (_encoded("Subject: somebody\n", _block("CERTIFICATE REQUEST", _REQUEST), "and more"), ""),
        (_encoded(_block("CERTIFICATE REQUEST", _REQUEST, end="END"), _block("CERTIFICATE REQUEST", _REQUEST)), ""),
        (_encoded(_block("CERTIFICATE REQUEST", _der(rsa.generate_private_key(65537, 1024), hashes.SHA256()))), ""),
        (_encoded(_block("CERTIFICATE REQUEST", _der(ed25519.Ed25519PrivateKey.generate()))), ""),
        ("", "PEM block type must be CERTIFICATE REQUEST"),
        (_encoded("-----BEGIN CERTIFICATE REQUEST-----\n"), "PEM block type must be CERTIFICATE REQUEST"),
        (_encoded(_block("NEW CERTIFICATE REQUEST", _REQUEST)), "PEM block type must be CERTIFICATE REQUEST"),
        (_encoded(_block("CERTIFICATE REQUEST", b"\0")), "asn1: structure error: no certificate request"),
        (_encoded(_block("CERTIFICATE REQUEST", _of_another_version(_REQUEST, b"\x02\x01\x00"))),
         "asn1: structure error: no certificate request"),
        (_encoded(_block("CERTIFICATE REQUEST", _ISSUED)), "asn1: structure error: no certificate request"),
        (_encoded(_block("CERTIFICATE REQUEST", _spoilt(_REQUEST))), "x509: ECDSA verification failure"),
        (_encoded(_block("CERTIFICATE REQUEST", _spoilt(_der(ed25519.Ed25519PrivateKey.generate())))),
         "x509: Ed25519 verification failure"),
        (_encoded(_block("CERTIFICATE REQUEST",
                         _spoilt(_der(rsa.generate_private_key(65537, 1024), hashes.SHA256())))),
         "crypto/rsa: verification error"),
    ],
)  # fmt: skip
def test_requests_are_signed_with_the_key_that_they_are_about(request_: str, said: str) -> None:
    shown = f'"{request_}"' if request_ else "null"
    expected = [f"spec.request: Invalid value: {shown}: {said}"] if said else []
    assert on_create(_request(request=request_)) == expected


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (_encoded("issued:\n", _block("CERTIFICATE", _ISSUED), _block("CERTIFICATE", _ISSUED)), ""),
        ("AAAA", "must contain at least one CERTIFICATE PEM block"),
        (_encoded(_block("CERTIFICATE", _ISSUED), _block("PUBLIC KEY", b"\0")),
         'only CERTIFICATE PEM blocks are allowed, found "PUBLIC KEY"'),
        (_encoded(_block("CERTIFICATE", _ISSUED, headers="Who: somebody\n\n")), "no PEM block headers are permitted"),
        (_encoded(_block("CERTIFICATE", b"")), "found CERTIFICATE PEM block containing 0 certificates"),
        (_encoded(_block("CERTIFICATE", _of_another_version(_ISSUED, b"\xa0\x03\x02\x01\x02"))),
         "x509: malformed certificate"),
        (_encoded(_block("CERTIFICATE", b"\0")), "x509: malformed certificate"),
    ],
)  # fmt: skip
def test_only_certificates_are_issued(certificate: str, said: str) -> None:
    expected = [f'status.certificate: Invalid value: "<certificate data>": {said}'] if said else []
    assert on_status(_request(), {}, {"certificate": certificate}) == expected


_APPROVED = {"type": "Approved", "status": "True"}
_DENIED = {"type": "Denied", "status": "True"}


def test_who_issues_leaves_decisions_as_they_are() -> None:
    kind = find_kind("certificates.k8s.io/v1", "CertificateSigningRequest")
    assert kind is not None
    old = {"conditions": [_APPROVED]}
    new = {"conditions": [{"type": "x", "status": "True"}, {**_APPROVED, "status": "False", "message": "no"}]}
    before, after = (
        from_builtins({**_request(), "metadata": {"name": "x"}, "status": status}, kind.type) for status in (old, new)
    )
    strategy_of(kind).prepare_status(after, before)
    assert [(found.type, found.status, found.message) for found in after.status.conditions] == [
        ("x", "True", None),
        ("Approved", "True", None),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({}, {"certificate": _pem("CERTIFICATE")}, []),
        ({}, {"certificate": _pem("PRIVATE KEY")},
         ['status.certificate: Invalid value: "<certificate data>": '
          'only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"']),
        ({"certificate": _pem("CERTIFICATE")}, {},
         ["status.certificate: Forbidden: updates may not modify existing certificate content"]),
        ({}, {"conditions": [_APPROVED]},
         ['status.conditions: Forbidden: updates may not add a condition of type "Approved"']),
        ({"conditions": [_APPROVED]}, {"conditions": [{**_APPROVED, "status": "False"}]}, []),
        ({"conditions": [{"type": "a", "status": "True"}] * 2}, {"conditions": [{"type": "b", "status": "True"}] * 2},
         []),
        ({}, {"conditions": [{"type": "Failed", "status": "False"}, {"type": "x"}]},
         ['status.conditions[0].status: Unsupported value: "False": supported values: "True"',
          "status.conditions[1].status: Required value"]),
    ],
)  # fmt: skip
def test_issuing(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert on_status(_request(), old, new) == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([], [_APPROVED], []),
        ([_APPROVED], [_APPROVED, _DENIED],
         ['status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive']),
        ([_DENIED], [], ['status.conditions: Forbidden: updates may not remove a condition of type "Denied"']),
    ],
)  # fmt: skip
def test_deciding(old: list[dict[str, Any]], new: list[dict[str, Any]], said: list[str]) -> None:
    kind = find_kind("certificates.k8s.io/v1", "CertificateSigningRequest")
    assert kind is not None
    before, after = (from_builtins(merged(_request(), {"status": {"conditions": c}}), kind.type) for c in (old, new))
    assert list(map(str, validate_approval(after, before))) == said
