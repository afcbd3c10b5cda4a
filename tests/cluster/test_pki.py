"""The files of a cluster's identities, and who is convinced by them."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pybernetes.apiserver.sockets.server import tls_context
from pybernetes.cluster.pki import ADMIN, SCHEDULER, Pki, apiserver, kubelet
from pybernetes.kubelet.http_server import tls_context as kubelet_tls_context
from pybernetes.kubelet.options import ServerFiles


class Clock:
    def __init__(self) -> None:
        # Today, for OpenSSL compares with the machine's clock.
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pki(tmp_path, clock):
    return Pki(tmp_path / "pki", clock)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """Lets two contexts talk over memory; the server's side of the finished connection."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    left = server.wrap_bio(to_server, to_client, server_side=True)
    right = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _round in range(10):
        done = True
        for side in (right, left):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                done = False
        if done:
            return left
    raise AssertionError("the handshake does not end")


def contexts(pki: Pki, client: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = pki.authority()
    pair = pki.certificate("apiserver", apiserver("10.96.0.1", ["192.0.2.10"]))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    server.load_cert_chain(pair.certificate, pair.key)
    server.verify_mode = ssl.CERT_OPTIONAL
    own = pki.certificate(client, ADMIN)
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    trusting.load_cert_chain(own.certificate, own.key)
    return server, trusting


@pytest.mark.parametrize("name", ["192.0.2.10", "10.96.0.1", "127.0.0.1", "kubernetes.default.svc", "localhost"])
def test_client_and_server_convince_one_another(pki, name):
    server = handshake(*contexts(pki, "admin"), name)
    names = [pair for part in (server.getpeercert() or {})["subject"] for pair in part]
    assert names == [("organizationName", "system:masters"), ("commonName", "kubernetes-admin")]


def test_another_name_is_refused(pki):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(*contexts(pki, "admin"), "192.0.2.11")


def test_files_are_private_and_used_again(pki, tmp_path, clock):
    pair = pki.certificate("kubelet-n1", kubelet("n1", ["192.0.2.1"]))
    paths = [pair.certificate, pair.key, pki.authority().key, pki.service_account_key()]
    before = [path.read_bytes() for path in paths]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    again = Pki(tmp_path / "pki", clock)
    again.certificate("kubelet-n1", kubelet("n1", ["192.0.2.1"]))
    again.service_account_key()
    assert [path.read_bytes() for path in paths] == before
    certificate = x509.load_pem_x509_certificate(before[0])
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:n1"


def test_stale_and_changed_ones_are_made_anew(pki, tmp_path, clock):
    first = pki.certificate("kubelet-n1", kubelet("n1", ["192.0.2.1"])).certificate.read_bytes()
    moved = pki.certificate("kubelet-n1", kubelet("n1", ["192.0.2.2"])).certificate.read_bytes()
    clock.time += timedelta(days=340)
    renewed = Pki(tmp_path / "pki", clock).certificate("kubelet-n1", kubelet("n1", ["192.0.2.2"]))
    assert len({first, moved, renewed.certificate.read_bytes()}) == 3
    renewed.key.write_text("broken")
    pki.certificate("kubelet-n1", kubelet("n1", ["192.0.2.2"]))
    assert renewed.key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def presenting(pki: Pki, name: str | None) -> ssl.SSLContext:
    """A client that shows a certificate, if any, and does not look at the server's name."""
    context = ssl.create_default_context(cafile=str(pki.authority().certificate))
    # So that the server's refusal belongs to the handshake.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if name is not None:
        pair = pki.certificate(name, APISERVERS if name == "apiserver" else ADMIN)
        context.load_cert_chain(pair.certificate, pair.key)
    return context


APISERVERS = apiserver("10.96.0.1", ["192.0.2.10"])


def api_server(pki: Pki) -> ssl.SSLContext:
    pair = pki.certificate("apiserver", APISERVERS)
    return tls_context(str(pair.certificate), str(pair.key), str(pki.authority().certificate))


def test_a_serving_certificate_makes_no_client(pki):
    handshake(api_server(pki), presenting(pki, "admin"), "192.0.2.10")
    handshake(api_server(pki), presenting(pki, None), "192.0.2.10")
    with pytest.raises(ssl.SSLError, match="unsuitable certificate purpose|certificate verify failed"):
        handshake(api_server(pki), presenting(pki, "apiserver"), "192.0.2.10")


def test_a_clients_certificate_makes_no_server(pki):
    pair = pki.certificate("scheduler", SCHEDULER)
    server = tls_context(str(pair.certificate), str(pair.key), str(pki.authority().certificate))
    trusting = presenting(pki, None)
    trusting.check_hostname = False
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        handshake(server, trusting, "192.0.2.10")


def test_a_kubelet_talks_to_nobody_whom_the_authority_has_not_signed(pki, tmp_path):
    pair = pki.certificate("kubelet-n1", kubelet("n1", ["192.0.2.1"]))
    server = kubelet_tls_context(ServerFiles(pair.certificate, pair.key, pki.authority().certificate))
    handshake(server, presenting(pki, "admin"), "192.0.2.1")
    stranger = Pki(tmp_path / "strangers", pki.clock).certificate("admin", ADMIN)
    forged = presenting(pki, None)
    forged.load_cert_chain(stranger.certificate, stranger.key)
    for client in (presenting(pki, None), forged):
        with pytest.raises(ssl.SSLError):
            handshake(server, client, "192.0.2.1")
