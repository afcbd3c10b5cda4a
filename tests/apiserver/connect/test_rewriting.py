"""Links of proxied pages lead back through the proxy."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest

from pybernetes.api.wire import Response
from pybernetes.apiserver.connect.rewriting import Proxy, rewritten, rewritten_page, rewritten_url

PREFIX = "/api/v1/namespaces/a/pods/p/proxy"
PROXY = Proxy(PREFIX, "10.0.0.1:80", "api:6443")
HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("/x", f"{PREFIX}/x"),
        ("/", f"{PREFIX}/"),
        ("/x/?a=b#c", f"{PREFIX}/x/?a=b#c"),
        ("http://10.0.0.1:80/x", f"{PREFIX}/x"),
        ("https://api:6443/x", f"https://api:6443{PREFIX}/x"),
        (f"{PREFIX}/x", f"{PREFIX}/x"),
        ("x/y", "x/y"),
        ("?a=b", "?a=b"),
        ("http://elsewhere/x", "http://elsewhere/x"),
        ("http://[", "http://["),
    ],
)
def test_links(url: str, seen: str) -> None:
    assert rewritten_url(url, PROXY) == seen


def test_a_page_keeps_all_but_its_links() -> None:
    page = """<!DOCTYPE html>
<HTML><!-- <a href="/comment"> --><p title="/x">1 &lt; 2 &nbsp;</P>
<a class=wide href='/x?a=1&amp;b=2' disabled>\xe9</a> <img src="y.png"/><img src=/z.png />
<script src="/code.js">document.write('<a href="/y">')</script>
<a href="/open"""
    assert rewritten_page(page, PROXY) == page.replace(
        "<a class=wide href='/x?a=1&amp;b=2' disabled>",
        f'<a class="wide" href="{PREFIX}/x?a=1&amp;b=2" disabled="">',
    ).replace("<img src=/z.png />", f'<img src="{PREFIX}/z.png"/>').replace(
        '<script src="/code.js">', f'<script src="{PREFIX}/code.js">'
    )


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_pages_come_in_pieces_and_compressed() -> None:
    page = b'<a href="/x">'
    wanted = f'<a href="{PREFIX}/x">'.encode()
    headers = {**HTML, "content-length": "13"}
    answer = await rewritten(Response(200, headers, stream=pieces(page[:5], page[5:])), PROXY)
    assert (answer.body, answer.stream, "content-length" in answer.headers) == (wanted, None, False)
    packed = Response(200, {**HTML, "content-encoding": "gzip"}, gzip.compress(page))
    assert gzip.decompress((await rewritten(packed, PROXY)).body) == wanted


async def test_what_is_no_page_passes() -> None:
    for headers in ({"content-type": "text/plain"}, {**HTML, "content-encoding": "br"}):
        answer = Response(200, headers, b'<a href="/x">')
        assert await rewritten(answer, PROXY) is answer
    broken = Response(200, {**HTML, "content-encoding": "gzip"}, b"no gzip")
    assert (await rewritten(broken, PROXY)).body == b"no gzip"
    long = [b"<a href='/x'>" * 400_000, b"end"]
    answer = await rewritten(Response(200, HTML, stream=pieces(*long)), PROXY)
    assert answer.stream is not None
    assert b"".join([chunk async for chunk in answer.stream]) == b"".join(long)


async def test_redirects_lead_through_the_proxy() -> None:
    answer = await rewritten(Response(302, {"Location": "/there"}), PROXY)
    assert answer.headers["location"] == f"{PREFIX}/there"
