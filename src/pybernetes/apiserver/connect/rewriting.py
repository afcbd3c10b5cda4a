"""Links of proxied pages, made to lead back through the proxy: a page says `/style.css` and means its own server.

`proxy.py` hands in a backend's answer; absolute paths in its Location, and in the links of an HTML page, get the path
of the proxy before them, as upstream's proxy does it. Pages longer than a limit, or in other codings than gzip, pass.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from itertools import accumulate
from posixpath import normpath
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from pybernetes.api.wire import Response

_PAGE_BYTES_MAX = 4 * 1024 * 1024
# HTML's attributes that hold a URL.
_LINKS: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "applet": frozenset({"codebase"}),
    "area": frozenset({"href"}),
    "audio": frozenset({"src"}),
    "base": frozenset({"href"}),
    "blockquote": frozenset({"cite"}),
    "body": frozenset({"background"}),
    "button": frozenset({"formaction"}),
    "command": frozenset({"icon"}),
    "del": frozenset({"cite"}),
    "embed": frozenset({"src"}),
    "form": frozenset({"action"}),
    "frame": frozenset({"longdesc", "src"}),
    "head": frozenset({"profile"}),
    "html": frozenset({"manifest"}),
    "iframe": frozenset({"longdesc", "src"}),
    "img": frozenset({"longdesc", "src", "usemap"}),
    "input": frozenset({"src", "usemap", "formaction"}),
    "ins": frozenset({"cite"}),
    "link": frozenset({"href"}),
    "object": frozenset({"classid", "codebase", "data", "usemap"}),
    "q": frozenset({"cite"}),
    "script": frozenset({"src"}),
    "source": frozenset({"src"}),
    "video": frozenset({"poster", "src"}),
}


class Proxy(NamedTuple):
    """What a backend is seen through: the proxy's path, the backend's own host, and the host that the client named."""

    prefix: str
    backend: str = ""
    asked: str = ""


def rewritten_url(url: str, proxy: Proxy) -> str:
    """A link as it must be seen through the proxy. Pure."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if (parts.netloc and parts.netloc not in proxy[1:]) or not parts.path.startswith("/"):
        return url
    if parts.path.startswith(proxy.prefix):
        return url
    path = proxy.prefix + normpath(parts.path)
    if parts.path.endswith("/") and not path.endswith("/"):
        path += "/"
    # Where the client is named as it named us, it is led back to just there.
    server = parts[:2] if parts.netloc == proxy.asked else ("", "")
    return urlunsplit((*server, path, parts.query, parts.fragment))


def rewritten_page(page: str, proxy: Proxy) -> str:
    """The page with its links rewritten and all else as it was. Pure."""
    finder = _Links(page, proxy)
    finder.feed(page)
    finder.close()
    pieces, end = [], 0
    for start, old, new in finder.found:
        pieces += [page[end:start], new]
        end = start + len(old)
    return "".join([*pieces, page[end:]])


class _Links(HTMLParser):
    """Collects (place, text, new text) of the start tags whose links change."""

    def __init__(self, page: str, proxy: Proxy) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, str, str]] = []
        self._proxy = proxy
        # Where each line begins; the parser counts lines by "\n".
        self._lines = [0, *accumulate(len(line) + 1 for line in page.split("\n"))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        links = _LINKS.get(tag, frozenset())
        changed = {}
        for name, value in attrs:
            new = rewritten_url(value, self._proxy) if value and name in links else value
            if new != value:
                changed[name] = new
        if not changed:
            return
        line, column = self.getpos()
        text = self.get_starttag_text() or ""
        words = [tag, *(f'{name}="{escape(changed.get(name, value) or "")}"' for name, value in attrs)]
        closing = "/>" if text.endswith("/>") else ">"
        self.found.append((self._lines[line - 1] + column, text, f"<{' '.join(words)}{closing}"))


async def rewritten(answer: Response, proxy: Proxy) -> Response:
    """A backend's answer with its links rewritten."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    location = headers.get("location")
    if isinstance(location, str) and location:
        return replace(answer, headers={**headers, "location": rewritten_url(location, proxy)})
    encoding = headers.get("content-encoding", "")
    if str(headers.get("content-type", "")).partition(";")[0].strip().lower() != "text/html":
        return answer
    if encoding not in ("", "identity", "gzip"):
        return answer
    stream: Any = answer.stream
    page, is_whole = (answer.body, True) if stream is None else await _begun(stream)
    if not is_whole:
        return replace(answer, stream=_continued(page, stream))
    headers.pop("content-length", None)
    try:
        plain = gzip.decompress(page) if encoding == "gzip" else page
    except (OSError, EOFError, zlib.error):
        return Response(answer.status, headers, page)
    # Each byte is a letter, and comes back as it was.
    text = rewritten_page(plain.decode("latin-1"), proxy).encode("latin-1", "xmlcharrefreplace")
    return Response(answer.status, headers, gzip.compress(text) if encoding == "gzip" else text)


async def _begun(stream: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """What a stream brings, and whether that is all of it."""
    page = b""
    async for chunk in stream:
        page += chunk
        if len(page) > _PAGE_BYTES_MAX:
            return page, False
    return page, True


async def _continued(begun: bytes, stream: Any) -> AsyncIterator[bytes]:
    try:
        yield begun
        async for chunk in stream:
            yield chunk
    finally:
        await stream.aclose()
