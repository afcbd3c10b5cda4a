"""URLs, read as Go's net/url reads them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, unquote_to_bytes

from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.types import opaque
from pybernetes.cel.values import EvaluationError, Opaque

LIBRARY = Library()
_UNRESERVED = r"A-Za-z0-9_.~\-"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_PATH = re.compile(rf"(?:[{_UNRESERVED}!$&'()*+,;=:@/\[\]]|%[0-9A-Fa-f]{{2}})*")
_USER = re.compile(rf"[{_UNRESERVED}:!$&'()*+,;=%@]*")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST_ESCAPE = re.compile(r"%(?!25|[89A-Fa-f][0-9A-Fa-f])")
_NO_HOST = re.compile(rf"[\x00-\x7f](?<![{_UNRESERVED}!$&'()*+,;=:\[\]<>\"%])")
_PORT = re.compile(r"(?::[0-9]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Url(Opaque):
    """An absolute address, or an absolute path."""

    type_name: ClassVar[str] = "kubernetes.URL"
    scheme: str
    host: str
    path: str
    query: str


LIBRARY.type_name(Url.type_name, opaque(Url.type_name))


class _Malformed(ValueError):
    """What is wrong with a URL, in Go's words."""


@LIBRARY.function("url(string) -> kubernetes.URL")
def url(text: str) -> Url:
    if problem := url_problem(text):
        raise EvaluationError(f"URL parse error during conversion from string: {problem}")
    try:
        return _parsed(text.partition("#")[0], is_request=False)
    except _Malformed as error:
        raise EvaluationError(f'URL parse error during conversion from string: parse "{text}": {error}') from None


def url_problem(text: str) -> str:
    """What is wrong with the URL of a request; empty when nothing is."""
    try:
        _parsed(text, is_request=True)
    except _Malformed as error:
        return f'parse "{text}": {error}'
    return ""


def _parsed(text: str, is_request: bool) -> Url:
    if any(character < " " or character == "\x7f" for character in text):
        raise _Malformed("net/url: invalid control character in URL")
    if not text and is_request:
        raise _Malformed("empty url")
    if text.startswith(":"):
        raise _Malformed("missing protocol scheme")
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match is not None else ("", text)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme or rest == "*":
            return Url(scheme, "", "" if scheme else rest, query)
        if is_request:
            raise _Malformed("invalid URI for request")
    host = ""
    has_host = scheme or not (is_request or rest.startswith("///"))
    if has_host and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(authority), slash + path
    _check_escapes(rest, _ESCAPE)
    return Url(scheme, host, rest, query)


def _check_escapes(text: str, wrong: re.Pattern[str]) -> None:
    match = wrong.search(text)
    if match is not None:
        raise _Malformed(f'invalid URL escape "{text[match.start() : match.start() + 3]}"')


def _host(authority: str) -> str:
    user, _, host = authority.rpartition("@")
    if host.startswith("["):
        inner, closing, port = host.rpartition("]")
        if not closing:
            raise _Malformed("missing ']' in host")
    else:
        inner, colon, port = host.rpartition(":")
        port = colon + port if colon else ""
    if _PORT.fullmatch(port) is None:
        raise _Malformed(f'invalid port "{port}" after host')
    _check_escapes(host, _HOST_ESCAPE)
    if (strange := _NO_HOST.search(host)) is not None:
        raise _Malformed(f'invalid character "{strange[0]}" in host name')
    if _USER.fullmatch(user) is None:
        raise _Malformed("net/url: invalid userinfo")
    _check_escapes(user, _ESCAPE)
    return _unescaped(host)


def _unescaped(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


@LIBRARY.function("isURL(string) -> bool")
def is_url(text: str) -> bool:
    return not url_problem(text)


def _declare_parts() -> None:
    parts: dict[str, Callable[[Url], str]] = {
        "getScheme": lambda held: held.scheme,
        "getHost": lambda held: held.host,
        "getHostname": _hostname,
        "getPort": _port,
        "getEscapedPath": _escaped_path,
    }
    for name, part in parts.items():
        LIBRARY.function(f"kubernetes.URL.{name}() -> string")(part)


def _hostname(held: Url) -> str:
    if ":" not in held.host:
        return held.host
    inner, closing, _ = held.host.partition("]")
    return inner.removeprefix("[") if closing else held.host.partition(":")[0]


def _port(held: Url) -> str:
    if "]" in held.host:
        return held.host.partition("]:")[2]
    return held.host.partition(":")[2]


def _escaped_path(held: Url) -> str:
    """As it was given, if nothing in it has to be escaped."""
    if _PATH.fullmatch(held.path) is not None:
        return held.path
    return quote(unquote_to_bytes(held.path), safe="/:@$&+,;=~")


_declare_parts()


@LIBRARY.function("kubernetes.URL.getQuery() -> map(string, list(string))")
def query(held: Url) -> dict[str, list[str]]:
    """The values of each parameter; what cannot be read is left out."""
    strain(len(held.query))
    found: dict[str, list[str]] = {}
    for pair in held.query.split("&"):
        if not pair or ";" in pair or _ESCAPE.search(pair) is not None:
            continue
        name, _, value = pair.replace("+", " ").partition("=")
        found.setdefault(_unescaped(name), []).append(_unescaped(value))
    return found
