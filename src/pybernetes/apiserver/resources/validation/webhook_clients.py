"""How a server is reached that is asked by webhook, whatever it is asked about: rules in upstream's words. Pure."""

from __future__ import annotations

from typing import Any

from pybernetes.api.status import FieldError
from pybernetes.apiserver.resources.validation import webhooks


def client_errors(client: Any, path: str) -> list[FieldError]:
    """What is wrong with where a webhook is reached."""
    return webhooks._validate_client(client, path)


def bundle_problem(bundle: bytes) -> str:
    """Why a caBundle holds no certificates; empty for one that does."""
    # Rare, and heavy to load.
    from cryptography.x509 import load_pem_x509_certificates

    try:
        load_pem_x509_certificates(bundle)
    except ValueError:
        return "unable to load root certificates: data does not contain any valid RSA or ECDSA certificates"
    return ""
