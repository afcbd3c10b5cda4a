"""What names, labels and keys may look like; a check returns upstream's error texts, an empty list when all is well.

Flow: text from an object goes in, texts for `FieldError.detail` come out. Validation, selectors and kubectl call it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_DNS1123_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS1123_SUBDOMAIN = _DNS1123_LABEL + r"(\." + _DNS1123_LABEL + ")*"
_LOOSE_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_LOOSE_SUBDOMAIN = _LOOSE_LABEL + r"(\." + _LOOSE_LABEL + ")*"
_DNS1035_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_PERCENT = "[0-9]+%"
_HTTP_HEADER = "[-A-Za-z0-9]+"
_WILDCARD = r"\*\." + _DNS1123_SUBDOMAIN

LABEL_LIMIT = 63
SUBDOMAIN_LIMIT = 253


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


_IS = {
    pattern: _compiled(pattern)
    for pattern in (
        _DNS1123_LABEL,
        _DNS1123_SUBDOMAIN,
        _LOOSE_SUBDOMAIN,
        _DNS1035_LABEL,
        _QUALIFIED,
        _LABEL_VALUE,
        _CONFIG_KEY,
        _ENV_NAME,
        _PERCENT,
        _HTTP_HEADER,
        _WILDCARD,
    )
}


def _matches(value: str, pattern: str) -> bool:
    return _IS[pattern].fullmatch(value) is not None


def regex_error(message: str, pattern: str, *examples: str) -> str:
    """Upstream's sentence with examples and the pattern."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {listed}regex used for validation is '{pattern}')"


def too_long(limit: int, unit: str = "characters") -> str:
    """`must be no more than N characters`."""
    return f"must be no more than {limit} {unit}"


def _checked(value: str, limit: int, pattern: str, error: str) -> list[str]:
    errors = [too_long(limit)] if len(value) > limit else []
    if not _matches(value, pattern):
        errors.append(error)
    return errors


_DNS1123_LABEL_ERROR = regex_error(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _DNS1123_LABEL,
    "my-name",
    "123-abc",
)
_DNS1123_SUBDOMAIN_ERROR = regex_error(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    _DNS1123_SUBDOMAIN,
    "example.com",
)
_LOOSE_SUBDOMAIN_ERROR = regex_error(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
    "and must start and end with an alphanumeric character",
    _LOOSE_SUBDOMAIN,
    "example.com",
)
_DNS1035_LABEL_ERROR = regex_error(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character",
    _DNS1035_LABEL,
    "my-name",
    "abc-123",
)
_QUALIFIED_ERROR = regex_error(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    _QUALIFIED,
    "MyName",
    "my.name",
    "123-abc",
)
_LABEL_VALUE_ERROR = regex_error(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_ERROR = regex_error(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_PERCENT_ERROR = regex_error(
    "a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%"
)
_HTTP_HEADER_ERROR = regex_error(
    "a valid HTTP header must consist of alphanumeric characters or '-'", _HTTP_HEADER, "X-Header-Name"
)
_WILDCARD_ERROR = regex_error(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD,
    "*.example.com",
)


def dns1123_label(value: str) -> list[str]:
    """Names of namespaces and containers: lower case, at most 63 characters, no dots."""
    dots_only = "." in value and _matches(value, _DNS1123_SUBDOMAIN)
    error = "must not contain dots" if dots_only else _DNS1123_LABEL_ERROR
    return _checked(value, LABEL_LIMIT, _DNS1123_LABEL, error)


def dns1123_subdomain(value: str) -> list[str]:
    """Names of most objects: lower case, at most 253 characters, dots allowed."""
    return _checked(value, SUBDOMAIN_LIMIT, _DNS1123_SUBDOMAIN, _DNS1123_SUBDOMAIN_ERROR)


def dns1123_subdomain_with_underscore(value: str) -> list[str]:
    """Host names and search domains of a pod's DNS configuration."""
    return _checked(value, SUBDOMAIN_LIMIT, _LOOSE_SUBDOMAIN, _LOOSE_SUBDOMAIN_ERROR)


def dns1035_label(value: str) -> list[str]:
    """Names of services: like a label, but with a letter first."""
    return _checked(value, LABEL_LIMIT, _DNS1035_LABEL, _DNS1035_LABEL_ERROR)


def wildcard_dns1123_subdomain(value: str) -> list[str]:
    """Hosts of an ingress that begin with `*.`."""
    return _checked(value, SUBDOMAIN_LIMIT, _WILDCARD, _WILDCARD_ERROR)


def qualified_name(value: str) -> list[str]:
    """Keys of labels, annotations, taints and resources: `[prefix/]name`."""
    if len(value) > SUBDOMAIN_LIMIT + 1 + LABEL_LIMIT:
        return list(_qualified_name_errors(value))
    return list(_known_name_errors(value))


# A cluster has few keys of labels, and reads each of them with every object.
@lru_cache(maxsize=4096)
def _known_name_errors(value: str) -> Sequence[str]:
    return tuple(_qualified_name_errors(value))


def _qualified_name_errors(value: str) -> Sequence[str]:
    prefix, slash, name = value.rpartition("/")
    errors = []
    if value.count("/") > 1:
        return [
            "a qualified name "
            + _QUALIFIED_ERROR
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    if slash and not prefix:
        errors.append("prefix part must be non-empty")
    elif slash:
        errors += ["prefix part " + error for error in dns1123_subdomain(prefix)]
    if not name:
        errors.append("name part must be non-empty")
    elif len(name.encode()) > LABEL_LIMIT:
        errors.append("name part " + too_long(LABEL_LIMIT, "bytes"))
    if not _matches(name, _QUALIFIED):
        errors.append("name part " + _QUALIFIED_ERROR)
    return errors


def label_value(value: str) -> list[str]:
    """Values of labels: empty, or at most 63 bytes of letters, digits, `-`, `_` and `.`."""
    errors = [too_long(LABEL_LIMIT, "bytes")] if len(value.encode()) > LABEL_LIMIT else []
    if not _matches(value, _LABEL_VALUE):
        errors.append(_LABEL_VALUE_ERROR)
    return errors


def path_segment_name(value: str, prefix: bool = False) -> list[str]:
    """Names that may be anything which fits into a URL's path, such as those of roles."""
    if not prefix and value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in value]


def config_map_key(value: str) -> list[str]:
    """Keys of ConfigMaps and Secrets."""
    errors = [too_long(SUBDOMAIN_LIMIT)] if len(value) > SUBDOMAIN_LIMIT else []
    if not _matches(value, _CONFIG_KEY):
        errors.append(_CONFIG_KEY_ERROR)
    return errors + _no_parent_steps(value)


def _no_parent_steps(value: str) -> list[str]:
    if value == ".":
        return ["must not be '.'"]
    if value == "..":
        return ["must not be '..'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def env_var_name(value: str) -> list[str]:
    """Names of environment variables: any printable ASCII but `=`."""
    if value and all(" " <= character <= "~" and character != "=" for character in value):
        return []
    if not value:
        return ["environment variable name must be non-empty"]
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def percent(value: str) -> list[str]:
    """`25%`."""
    return [] if _matches(value, _PERCENT) else [_PERCENT_ERROR]


def port_name(value: str) -> list[str]:
    """Names of ports: at most 15 of a-z, 0-9 and `-`, one letter at least."""
    errors = [too_long(15)] if len(value) > 15 else []
    if not re.fullmatch("[-a-z0-9]+", value, re.ASCII):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value, re.ASCII):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def masked_generate_name(value: str) -> str:
    """A generateName prefix as validation sees it: a trailing dash may stand for what will follow."""
    return value[:-2] + "a" if len(value) > 1 and value.endswith("-") else value


def http_header_name(value: str) -> list[str]:
    """Names of HTTP headers, as probes and hooks send them."""
    return [] if _matches(value, _HTTP_HEADER) else [_HTTP_HEADER_ERROR]
