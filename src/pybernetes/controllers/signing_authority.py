"""A certificate authority that signs what it is told to: requests in, PEM certificates out. The caller has judged them.

Built by the signing controller from the PEM texts of its options.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Extended

_BACKDATE = timedelta(minutes=5)
# Certificates that live shorter than this are not backdated at their end.
_SHORT = timedelta(hours=8)
_SHORTEST = 600
_KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "data encipherment": "data_encipherment",
    "key agreement": "key_agreement",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED_USAGES = {
    "any": Extended.ANY_EXTENDED_KEY_USAGE,
    "server auth": Extended.SERVER_AUTH,
    "client auth": Extended.CLIENT_AUTH,
    "code signing": Extended.CODE_SIGNING,
    "email protection": Extended.EMAIL_PROTECTION,
    "s/mime": Extended.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": Extended.TIME_STAMPING,
    "ocsp signing": Extended.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}


def lifetime(requested: int | None, longest: int) -> int:
    """Seconds that a certificate shall live: as requested, within the limits."""
    if requested is None or requested > longest:
        return longest
    return max(requested, min(_SHORTEST, longest))


def validity(now: datetime, seconds: int, authority_ends: datetime) -> tuple[datetime, datetime]:
    """From when to when a certificate made now holds; never longer than its authority does."""
    start, length = now - _BACKDATE, timedelta(seconds=seconds)
    end = now + length if length < _SHORT else start + length
    return start, min(end, authority_ends)


class SigningAuthority:
    """A certificate and its key; ValueError when they are not."""

    def __init__(self, certificate_pem: str, key_pem: str) -> None:
        self.certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        key = serialization.load_pem_private_key(key_pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ValueError("the signing key must be an RSA or ECDSA key")
        self._key = key

    def sign(
        self, request: x509.CertificateSigningRequest, usages: Sequence[str], seconds: int, now: datetime, serial: int
    ) -> bytes:
        """The certificate as PEM: subject, key and alternative names of the request, usages and lifetime as told."""
        start, end = validity(now, seconds, self.certificate.not_valid_after_utc)
        if end <= now:
            raise ValueError(f"the signer has expired: NotAfter={self.certificate.not_valid_after_utc}")
        builder = x509.CertificateBuilder(
            self.certificate.subject, request.subject, request.public_key(), serial, start, end
        ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        key_usage = _key_usage(usages)
        if key_usage is not None:
            builder = builder.add_extension(key_usage, critical=True)
        extended = [_EXTENDED_USAGES[usage] for usage in usages if usage in _EXTENDED_USAGES]
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(dict.fromkeys(extended)), critical=False)
        for extension in request.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                builder = builder.add_extension(extension.value, extension.critical)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = builder.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)


def _key_usage(usages: Iterable[str]) -> x509.KeyUsage | None:
    """None when they say nothing of the key: an extension without any bit would forbid all."""
    wanted = {_KEY_USAGES[usage] for usage in usages if usage in _KEY_USAGES}
    if not wanted & {"key_agreement"}:
        # They say something about key agreement only, and cannot stand alone.
        wanted -= {"encipher_only", "decipher_only"}
    if not wanted:
        return None
    return x509.KeyUsage(**{name: name in wanted for name in _KEY_USAGES.values()})
