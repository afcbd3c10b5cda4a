"""The rule for names such as `acme.io/foo`: who is responsible, after a slash in the responsible party's domain."""

from __future__ import annotations

import re

from pybernetes.api.names import dns1123_subdomain, regex_error
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.apiserver.resources.validation.texts import obeys

_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_path = re.compile(_PATH)
_NO_DOMAIN = 'must be a domain-prefixed path (such as "acme.io/foo")'


def validate_domain_path(text: str, path: str) -> list[FieldError]:
    domain, _, rest = text.partition("/")
    if not domain or not rest:
        errors = [] if text else [required(path)]
        return [*errors, invalid(path, text, _NO_DOMAIN)]
    errors = obeys(domain, dns1123_subdomain, path)
    if not _path.fullmatch(rest):
        errors.append(invalid(path, rest, regex_error("Invalid path", _PATH)))
    return errors
