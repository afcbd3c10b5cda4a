"""URLs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl, quote, unquote

from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.types import opaque
from pybernetes.cel.values import EvaluationError, Opaque

LIBRARY = Library()
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?"
)
_HOST = re.compile(r"(?:[^@]*@)?(?P<name>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?", re.ASCII)
_BAD = re.compile(r"[\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Url(Opaque):
    """An absolute address, or an absolute path."""

    type_name: ClassVar[str] = "kubernetes.URL"
    scheme: str
    host: str
    path: str
    query: str


LIBRARY.type_name(Url.type_name, opaque(Url.type_name))


@LIBRARY.function("url(string) -> kubernetes.URL")
def url(text: str) -> Url:
    match = _URL.fullmatch(text)
    absolute = match is not None and (match["scheme"] or text.startswith("/"))
    if match is None or not absolute or _BAD.search(text) or _HOST.fullmatch(match["host"] or "") is None:
        raise EvaluationError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    host = (match["host"] or "").rpartition("@")[2]
    return Url((match["scheme"] or "").lower(), host, match["path"], match["query"] or "")


@LIBRARY.function("isURL(string) -> bool")
def is_url(text: str) -> bool:
    try:
        url(text)
    except EvaluationError:
        return False
    return True


@LIBRARY.function("kubernetes.URL.getScheme() -> string")
def scheme(address: Url) -> str:
    return address.scheme


@LIBRARY.function("kubernetes.URL.getHost() -> string")
def host(address: Url) -> str:
    return address.host


def _host_part(address: Url, name: str) -> str:
    match = _HOST.fullmatch(address.host)
    return (match[name] or "") if match is not None else ""


@LIBRARY.function("kubernetes.URL.getHostname() -> string")
def hostname(address: Url) -> str:
    return _host_part(address, "name").strip("[]")


@LIBRARY.function("kubernetes.URL.getPort() -> string")
def port(address: Url) -> str:
    return _host_part(address, "port")


@LIBRARY.function("kubernetes.URL.getEscapedPath() -> string")
def escaped_path(address: Url) -> str:
    return quote(unquote(address.path), safe="/:@!$&'()*+,;=~-._") if "%" not in address.path else address.path


@LIBRARY.function("kubernetes.URL.getQuery() -> map(string, list(string))")
def query(address: Url) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    strain(len(address.query))
    for name, value in parse_qsl(address.query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found
