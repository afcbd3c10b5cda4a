"""Rules for names: DNS labels and subdomains, label keys and values, keys of configurations, ports, addresses.

Each function takes the text and returns upstream's complaints about it, an empty list when there are none. Called by
the validation of every kind, so the good case is one match of a compiled expression.
"""

from __future__ import annotations

import ipaddress
import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_label = re.compile(_LABEL)
_subdomain = re.compile(_SUBDOMAIN)
_dns1035 = re.compile(_DNS1035)
_name_part = re.compile(_NAME_PART)
_config_key = re.compile(_CONFIG_KEY)
_environment_variable = re.compile(r"[ -<>-~]+")
_port_characters = re.compile("[-a-z0-9]+")

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an "
    f"alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    "must start and end "
    f"with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case "
    "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for "
    rf"validation is '\*\.{_SUBDOMAIN}')"
)
DNS1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end "
    f"with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_DNS1035}')"
)
_CHARACTERS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
)
NAME_PART_TEXT = (
    f"{_CHARACTERS}(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME_PART}')"
)
LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
    "must start and end "
    f"with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_NAME_PART})?')"
)
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    f"'key-name', regex used for validation is '{_CONFIG_KEY}')"
)
ENVIRONMENT_VARIABLE_TEXT = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)
ADDRESS_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
EMPTY_TEXT = "must be non-empty"


def too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def _bytes_too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def dns1123_label(value: str) -> list[str]:
    """A lower-case DNS label of at most 63 characters."""
    if len(value) <= 63 and _label.fullmatch(value):
        return []
    problems = [too_long(63)] if len(value) > 63 else []
    if not _label.fullmatch(value):
        # A name that would be good with dots gets the shorter hint.
        problems.append("must not contain dots" if _subdomain.fullmatch(value) else LABEL_TEXT)
    return problems


def dns1123_subdomain(value: str) -> list[str]:
    """Lower-case DNS labels joined by dots, at most 253 characters."""
    if len(value) <= 253 and _subdomain.fullmatch(value):
        return []
    problems = [too_long(253)] if len(value) > 253 else []
    if not _subdomain.fullmatch(value):
        problems.append(SUBDOMAIN_TEXT)
    return problems


def wildcard_subdomain(value: str) -> list[str]:
    """`*.` and a subdomain."""
    if len(value) <= 253 and value.startswith("*.") and _subdomain.fullmatch(value[2:]):
        return []
    return [WILDCARD_TEXT]


def dns1035_label(value: str) -> list[str]:
    """A DNS label that starts with a letter, at most 63 characters."""
    if len(value) <= 63 and _dns1035.fullmatch(value):
        return []
    problems = [too_long(63)] if len(value) > 63 else []
    if not _dns1035.fullmatch(value):
        problems.append(DNS1035_TEXT)
    return problems


def qualified_name(value: str) -> list[str]:
    """A label key: an optional `prefix.example/` and a name of at most 63 characters."""
    prefix, slash, name = value.rpartition("/")
    if not slash and len(name) <= 63 and _name_part.fullmatch(name):
        return []
    if "/" in prefix:
        hint = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {NAME_PART_TEXT}{hint}"]
    problems: list[str] = []
    if slash:
        problems += [f"prefix part {text}" for text in ([EMPTY_TEXT] if not prefix else dns1123_subdomain(prefix))]
    if not name:
        problems.append(f"name part {EMPTY_TEXT}")
    elif len(name) > 63:
        problems.append(f"name part {_bytes_too_long(63)}")
    if not _name_part.fullmatch(name):
        problems.append(f"name part {NAME_PART_TEXT}")
    return problems


def label_value(value: str) -> list[str]:
    """Empty, or a name of at most 63 characters."""
    if not value or (len(value) <= 63 and _name_part.fullmatch(value)):
        return []
    problems = [_bytes_too_long(63)] if len(value) > 63 else []
    if not _name_part.fullmatch(value):
        problems.append(LABEL_VALUE_TEXT)
    return problems


def domain_prefixed_path(value: str) -> list[str]:
    """`domain/path`, such as the manager of a Job."""
    domain, slash, path = value.partition("/")
    if not slash or not domain or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    return dns1123_subdomain(domain)


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret; it becomes a file's name."""
    problems = [too_long(253)] if len(value) > 253 else []
    if not _config_key.fullmatch(value):
        problems.append(CONFIG_KEY_TEXT)
    if value == ".":
        problems.append("must not be '.'")
    elif value == "..":
        problems.append("must not be '..'")
    elif value.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def environment_variable(value: str) -> list[str]:
    """A name of an environment variable: printable ASCII without `=`."""
    return [] if _environment_variable.fullmatch(value) else [ENVIRONMENT_VARIABLE_TEXT]


def port_name(value: str) -> list[str]:
    """An IANA service name, as ports of containers are called."""
    problems = []
    if len(value) > 15:
        problems.append(too_long(15))
    if not _port_characters.fullmatch(value):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= character <= "z" for character in value):
        problems.append("must contain at least one letter (a-z)")
    if "--" in value:
        problems.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def in_range(value: int, low: int, high: int) -> list[str]:
    return [] if low <= value <= high else [f"must be between {low} and {high}, inclusive"]


def ip_address(value: str) -> list[str]:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return [ADDRESS_TEXT]
    return [] if "%" not in value else [ADDRESS_TEXT]


def cidr(value: str) -> list[str]:
    """A range of addresses, written with its prefix length."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return [CIDR_TEXT]
    length = value.partition("/")[2]
    return [] if length.isdigit() else [CIDR_TEXT]


def path_segment_name(value: str) -> list[str]:
    """What may stand in a URL path as one segment: names of roles and the like."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in value]
