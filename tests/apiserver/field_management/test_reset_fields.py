"""What the writer of an object, or of a part of it, cannot own."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api import kinds
from pybernetes.apiserver.field_management.reset_fields import reset_fields

LEAF: dict[str, Any] = {}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:a": LEAF}, "f:annotations": {"f:b": LEAF}},
    "f:spec": {"f:x": LEAF},
    "f:status": {"f:conditions": LEAF, "f:certificate": LEAF},
}


@pytest.mark.parametrize(
    ("version", "kind", "subresource", "kept"),
    [
        ("v1", "ConfigMap", "", ["metadata", "spec", "status"]),
        ("v1", "Pod", "", ["metadata", "spec"]),
        ("v1", "Pod", "status", ["metadata", "status"]),
        ("storage.k8s.io/v1", "VolumeAttachment", "status", ["status"]),
        ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", "status", ["status"]),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "status", ["status"]),
        ("resource.k8s.io/v1", "ResourceClaim", "status", ["metadata", "status"]),
        ("certificates.k8s.io/v1", "CertificateSigningRequest", "", ["metadata"]),
        ("networking.k8s.io/v1", "ServiceCIDR", "", ["metadata", "spec", "status"]),
    ],
)
def test_what_a_writer_can_own(version: str, kind: str, subresource: str, kept: list[str]) -> None:
    found = kinds.find_kind(version, kind)
    assert found is not None
    assert reset_fields(found, subresource)(FIELDS) == {f"f:{name}": FIELDS[f"f:{name}"] for name in kept}


def test_parts_of_a_status() -> None:
    request = kinds.find_kind("certificates.k8s.io/v1", "CertificateSigningRequest")
    deployment = kinds.find_kind("apps/v1", "Deployment")
    assert request is not None and deployment is not None
    assert reset_fields(request, "approval")(FIELDS)["f:status"] == {"f:conditions": LEAF}
    assert reset_fields(request, "status")(FIELDS)["f:status"] == {"f:certificate": LEAF}
    assert reset_fields(deployment, "status")(FIELDS)["f:metadata"] == {"f:annotations": {"f:b": LEAF}}
