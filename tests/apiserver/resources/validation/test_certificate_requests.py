"""What is said of certificate requests, of decisions on them, and of Leases."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status

from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import from_builtins
from pybernetes.apiserver.resources.validation.certificate_requests import validate_approval


def _pem(kind: str) -> str:
    return b64encode(f"-----BEGIN {kind}-----\nAA==\n-----END {kind}-----\n".encode()).decode()


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


_APPROVED = {"type": "Approved", "status": "True"}
_DENIED = {"type": "Denied", "status": "True"}


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
        ({"conditions": [_APPROVED]}, {"conditions": [{**_APPROVED, "message": "no"}]},
         ['status.conditions: Forbidden: updates may not modify a condition of type "Approved"']),
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


def test_a_lease_that_prefers_a_holder_says_how() -> None:
    document = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    assert on_create({**document, "spec": {"preferredHolder": "a"}}) == [
        "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"
    ]
    assert on_create({**document, "spec": {"strategy": "Youngest"}}) == [
        'spec.strategy.strategy: Unsupported value: "Youngest": supported values: "OldestEmulationVersion"'
    ]
