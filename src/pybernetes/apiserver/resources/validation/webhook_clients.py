"""How a server is reached that is asked by webhook, whatever it is asked about: rules in upstream's words. Pure.

The place of a webhook goes in, what is wrong with it comes out. Called for webhooks of admission and of conversion.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pybernetes.api.names import dns1123_subdomain, port_number
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.types import admissionregistration_v1, apiextensions_v1

_Client = admissionregistration_v1.WebhookClientConfig | apiextensions_v1.WebhookClientConfig
_Service = admissionregistration_v1.ServiceReference | apiextensions_v1.ServiceReference


def client_errors(client: _Client, path: str) -> list[FieldError]:
    """What is wrong with where a webhook is reached, besides its certificates."""
    if client.url is not None and client.service is None:
        return _validate_url(client.url, f"{path}.url")
    if client.service is not None and client.url is None:
        return _validate_service(client.service, f"{path}.service")
    return [required(path, "exactly one of url or service is required")]


def _validate_service(service: _Service, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not service.name:
        errors.append(required(f"{path}.name", "service name is required"))
    if not service.namespace:
        errors.append(required(f"{path}.namespace", "service namespace is required"))
    port = 443 if service.port is None else service.port
    if problems := port_number(port):
        errors.append(invalid(f"{path}.port", port, f"port is not valid: {','.join(problems)}"))
    return errors + _validate_path(service.path or "", f"{path}.path")


def _validate_path(given: str, path: str) -> list[FieldError]:
    if given in ("", "/"):
        return []
    if given == "//":
        return [invalid(path, given, "segment[0] may not be empty")]
    errors = [] if given.startswith("/") else [invalid(path, given, "must start with a '/'")]
    # As upstream: the first character is passed over, whatever it is.
    for index, step in enumerate(given[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(invalid(path, given, f"segment[{index}] may not be empty"))
        else:
            errors += [invalid(path, given, f"segment[{index}]: {text}") for text in dns1123_subdomain(step)]
    return errors


def _validate_url(url: str, path: str) -> list[FieldError]:
    form = "; desired format: https://host[/path]"
    parts = urlsplit(url)
    errors: list[FieldError] = []
    if parts.scheme != "https":
        errors.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{form}"))
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        errors.append(invalid(path, "", f"host must be specified{form}"))
    if at:
        errors.append(invalid(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return errors


def bundle_problem(bundle: bytes) -> str:
    """Why a caBundle holds no certificates; empty for one that does."""
    # Rare, and heavy to load.
    from cryptography.x509 import InvalidVersion, load_pem_x509_certificates

    try:
        load_pem_x509_certificates(bundle)
    except (ValueError, InvalidVersion):
        return "unable to load root certificates: data does not contain any valid RSA or ECDSA certificates"
    return ""
