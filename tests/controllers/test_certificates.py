"""Certificate signing requests: approved where kubelets may, signed by the cluster's authority, and cleaned away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pybernetes.api.objects import copy
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest, CertificateSigningRequestCondition
from pybernetes.controllers import csr_rules
from pybernetes.controllers.context import ControllerOptions
from pybernetes.controllers.csrapproving import NODE_CLIENT, SELF_NODE_CLIENT, permissions
from pybernetes.controllers.csrcleaner import expires
from pybernetes.controllers.signing_authority import SigningAuthority, lifetime, validity
from tests.controllers.world import World, made, play

_KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT = ["digital signature", "client auth"]
NAMES = (
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-signing-controller",
    "certificatesigningrequest-cleaner-controller",
    "serviceaccount-controller",
)


def authority() -> tuple[str, str]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes-ca")])
    builder = x509.CertificateBuilder(name, name, _KEY.public_key(), 1, NOW - timedelta(1), NOW + timedelta(3650))
    certificate = builder.add_extension(x509.BasicConstraints(True, None), True).sign(_KEY, hashes.SHA256())
    key = _KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), key.decode()


def pem(common_name: str, organization: str = "", *names: x509.GeneralName) -> bytes:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    builder = x509.CertificateSigningRequestBuilder(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def asked(name: str, body: bytes, signer: str, usages: list[str], **spec: Any) -> CertificateSigningRequest:
    found = made(CertificateSigningRequest, name, "", spec={"signerName": signer, "usages": usages, **spec})
    found.spec.request = body
    return found


async def approve(world: World, request: CertificateSigningRequest) -> None:
    changed = copy(request)
    changed.status.conditions.append(CertificateSigningRequestCondition(type="Approved", status="True", reason="me"))
    await world.client.update(changed, "approval")


async def settled(world: World, name: str) -> CertificateSigningRequest:
    async def look() -> CertificateSigningRequest | None:
        found = await world.client.get(CertificateSigningRequest, name)
        return found if found.status.certificate or csr_rules.is_true(found, "Failed") else None

    found: CertificateSigningRequest = await world.until(look)
    return found


def run(scenario: Any) -> None:
    certificate, key = authority()
    options = ControllerOptions(cluster_signing_certificate=certificate, cluster_signing_key=key)
    play(scenario, names=NAMES, options=options)


def test_an_approved_request_is_signed_and_removed_an_hour_later() -> None:
    async def scenario(world: World) -> None:
        wanted = asked("jane", pem("jane", "devs"), csr_rules.KUBE_APISERVER_CLIENT, CLIENT, expirationSeconds=3600)
        request = await world.client.create(wanted)
        await approve(world, request)
        found = await settled(world, "jane")
        certificate = x509.load_pem_x509_certificate(found.status.certificate or b"")
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority()[0].encode()))
        assert certificate.subject.rfc4514_string() == "O=devs,CN=jane"
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(minutes=65)
        await world.until(lambda: _later(world, "jane"))

    run(scenario)


async def _later(world: World, name: str) -> bool:
    import asyncio

    await asyncio.sleep(60)
    return await world.gone(CertificateSigningRequest, name, "")


def test_a_signer_says_why_it_does_not_sign() -> None:
    async def scenario(world: World) -> None:
        usages = ["digital signature", "server auth"]
        bad = asked("bad", pem("system:node:a", "system:nodes"), csr_rules.KUBELET_SERVING, usages)
        await approve(world, await world.client.create(bad))
        condition = (await settled(world, "bad")).status.conditions[-1]
        assert (condition.reason, condition.message) == (
            "SignerValidationFailure",
            "DNS or IP subjectAltName is required",
        )

    run(scenario)


def test_a_kubelet_that_may_is_approved_of_itself() -> None:
    async def scenario(world: World) -> None:
        body = pem("system:node:a", "system:nodes")
        await world.client.create(asked("node", body, csr_rules.KUBE_APISERVER_CLIENT_KUBELET, CLIENT))
        found = await settled(world, "node")
        told = [(item.type, item.reason, item.message) for item in found.status.conditions]
        # The administrator who asks may do everything, but is not the node.
        assert told == [("Approved", "AutoApproved", NODE_CLIENT.message)]

    run(scenario)


@pytest.mark.parametrize(
    ("username", "organization", "expected"),
    [
        ("system:node:a", "system:nodes", [SELF_NODE_CLIENT, NODE_CLIENT]),
        ("system:bootstrap:x", "system:nodes", [NODE_CLIENT]),
        ("system:node:a", "system:masters", []),
    ],
)
def test_what_a_requester_must_be_allowed(username: str, organization: str, expected: list[Any]) -> None:
    body = pem("system:node:a", organization)
    request = asked("n", body, csr_rules.KUBE_APISERVER_CLIENT_KUBELET, CLIENT, username=username)
    assert permissions(request, csr_rules.parse(body)) == expected


@pytest.mark.parametrize(
    ("signer", "usages", "expected"),
    [
        (csr_rules.KUBE_APISERVER_CLIENT, CLIENT, ""),
        (csr_rules.KUBE_APISERVER_CLIENT, ["server auth"], "invalid usage for client certificate: server auth"),
        (
            csr_rules.KUBE_APISERVER_CLIENT,
            ["digital signature"],
            "missing required usage for client certificate: client auth",
        ),
        (csr_rules.KUBELET_SERVING, CLIENT, "subject organization is not system:nodes"),
        (csr_rules.LEGACY_UNKNOWN, ["any"], ""),
    ],
)
def test_signers_have_rules_of_their_own(signer: str, usages: list[str], expected: str) -> None:
    assert csr_rules.violation(signer, csr_rules.parse(pem("jane")), usages) == expected


def test_a_certificate_of_which_only_its_purpose_was_said_may_be_used_by_clients() -> None:
    parsed = csr_rules.parse(pem("jane"))
    body = SigningAuthority(*authority()).sign(parsed, ["client auth"], 3600, NOW, 1)
    extensions = x509.load_pem_x509_certificate(body).extensions
    assert ExtendedKeyUsageOID.CLIENT_AUTH in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    with pytest.raises(x509.ExtensionNotFound):
        extensions.get_extension_for_class(x509.KeyUsage)


def test_lifetimes_are_as_asked_within_limits() -> None:
    assert [lifetime(asked, 7200) for asked in (None, 9999, 3600, 1)] == [7200, 7200, 3600, 600]
    short, ends = validity(NOW, 3600, NOW + timedelta(days=1)), NOW + timedelta(minutes=1)
    assert short == (NOW - timedelta(minutes=5), NOW + timedelta(hours=1))
    assert validity(NOW, 3600, ends)[1] == ends


def test_requests_that_nobody_decides_on_stay_a_day() -> None:
    pending = made(CertificateSigningRequest, "p", "", metadata={"creationTimestamp": "2026-01-01T00:00:00Z"})
    assert expires(pending) == NOW + timedelta(days=1)
    condition = CertificateSigningRequestCondition(
        type="Denied", status="True", last_update_time="2026-01-01T02:00:00Z"
    )
    pending.status.conditions.append(condition)
    assert expires(pending) == NOW + timedelta(hours=3)
