"""A cluster's keys and certificates: one authority, and what it signs for every component.

A folder, a Clock and names go in; PEM files come out, 0600 and written atomically. What is there already and holds
for another month is used again, so that a restarted cluster keeps its identities. Called when a cluster is brought up.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pybernetes.environment.clock import Clock

_AUTHORITY_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=365)
# A certificate with less than this left is made anew at start-up.
_RENEW_BEFORE = timedelta(days=30)
# Clocks of nodes may lag a little behind the one that signs.
_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and of its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for: a user with groups, or a server with names and addresses."""

    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    server: bool = False
    client: bool = True


ADMIN = Subject("kubernetes-admin", ("system:masters",))
CONTROLLER_MANAGER = Subject("system:kube-controller-manager")
CLOUD_CONTROLLER_MANAGER = Subject("system:cloud-controller-manager")
SCHEDULER = Subject("system:kube-scheduler")
PROXY = Subject("system:kube-proxy")
APISERVER_KUBELET_CLIENT = Subject("kube-apiserver-kubelet-client", ("system:masters",))


def kubelet(node: str, addresses: Iterable[str] = ()) -> Subject:
    """A kubelet, which is a client of the API server and a server of its own."""
    return Subject(f"system:node:{node}", ("system:nodes",), (node,), tuple(addresses), server=True)


def apiserver(service_address: str, addresses: Iterable[str], names: Iterable[str] = ()) -> Subject:
    """The API server under all its names; `service_address` is the ClusterIP of the Service `kubernetes`."""
    own = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    listed = tuple(dict.fromkeys((service_address, "127.0.0.1", *addresses)))
    every_name = tuple(dict.fromkeys((*own, "localhost", *names)))
    return Subject("kube-apiserver", (), every_name, listed, server=True, client=False)


@dataclass
class Pki:
    """The folder of a cluster's keys; every method makes what is missing or stale and returns the files."""

    folder: Path
    clock: Clock
    _authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = field(default=None, init=False)

    def authority(self) -> Pair:
        """The certificate authority, `ca.crt` and `ca.key`."""
        self._load_authority()
        return self._pair("ca")

    def certificate(self, name: str, subject: Subject) -> Pair:
        """`<name>.crt` and `<name>.key` for a subject, signed by the authority."""
        authority, signer = self._load_authority()
        pair = self._pair(name)
        if not self._is_good(pair, subject, authority):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _sign(self._builder(subject, key), subject, authority, signer)
            # The key first: a certificate without its key would be taken for a whole pair.
            _write(pair.key, _key_pem(key))
            _write(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return pair

    def service_account_key(self) -> Path:
        """The private key that signs service-account tokens, `sa.key`."""
        path = self.folder / "sa.key"
        if not path.exists():
            _write(path, _key_pem(ec.generate_private_key(ec.SECP256R1())))
        return path

    def _pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")

    def _load_authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if self._authority is None:
            pair = self._pair("ca")
            certificate = _read_certificate(pair.certificate)
            key = _read_key(pair.key)
            if certificate is None or key is None or not self._is_fresh(certificate):
                certificate, key = self._make_authority(pair)
            self._authority = certificate, key
        return self._authority

    def _make_authority(self, pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        now = self.clock.now()
        usage = _key_usage(signs_certificates=True)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + _AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(pair.key, _key_pem(key))
        _write(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return certificate, key

    def _is_fresh(self, certificate: x509.Certificate) -> bool:
        now = self.clock.now()
        return certificate.not_valid_before_utc <= now and now + _RENEW_BEFORE < certificate.not_valid_after_utc

    def _is_good(self, pair: Pair, subject: Subject, authority: x509.Certificate) -> bool:
        certificate, key = _read_certificate(pair.certificate), _read_key(pair.key)
        if certificate is None or key is None or not self._is_fresh(certificate):
            return False
        if certificate.public_key() != key.public_key() or certificate.subject != _name(subject):
            return False
        try:
            certificate.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return _alternatives(certificate) == _wanted_alternatives(subject)

    def _builder(self, subject: Subject, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = self.clock.now()
        builder = x509.CertificateBuilder(
            subject_name=_name(subject), public_key=key.public_key(), serial_number=x509.random_serial_number()
        )
        return builder.not_valid_before(now - _BACKDATED).not_valid_after(now + _LIFE)


def _sign(
    builder: x509.CertificateBuilder,
    subject: Subject,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH] if subject.server else []
    purposes += [ExtendedKeyUsageOID.CLIENT_AUTH] if subject.client else []
    builder = (
        builder.issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in subject.names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in subject.addresses]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(subject: Subject) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in subject.organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)])


def _alternatives(certificate: x509.Certificate) -> set[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    names = extension.value.get_values_for_type(x509.DNSName)
    return {*names, *(str(address) for address in extension.value.get_values_for_type(x509.IPAddress))}


def _wanted_alternatives(subject: Subject) -> set[str]:
    return {*subject.names, *(str(ipaddress.ip_address(address)) for address in subject.addresses)}


def _read_certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes) -> None:
    """Writes a file that only its owner may read, so that there is never a half-written one under its name."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
