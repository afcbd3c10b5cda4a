"""Header blocks of SPDY/3.1: names and values, compressed by one zlib stream per direction.

`spdy.py` calls it for every frame that carries headers; each side keeps one codec as long as its connection.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
_LARGEST_BLOCK = 1 << 20


def _prefixed(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">I", len(data)) + data


# Its Adler-32 is 0xE3C6A7C2: zlib says so at the beginning of every stream.
DICTIONARY = b"".join(_prefixed(word.replace("_", " ")) for word in _WORDS.split()) + _TAIL.encode()


class BadHeaders(ValueError):
    """A header block that cannot be read."""


class HeaderWriter:
    """Compresses the header blocks of one direction."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def write(self, headers: Mapping[str, str]) -> bytes:
        block = struct.pack(">I", len(headers))
        block += b"".join(_prefixed(name.lower()) + _prefixed(value) for name, value in headers.items())
        return self._zlib.compress(block) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class HeaderReader:
    """Reads the header blocks of one direction."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, data: bytes) -> dict[str, str]:
        """Lower-case names to values; several values of a name are parted by NUL. BadHeaders when it is none."""
        try:
            block = self._zlib.decompress(data, _LARGEST_BLOCK)
            (count,) = struct.unpack_from(">I", block)
            headers, at = {}, 4
            for _ in range(count):
                name, at = _text(block, at)
                headers[name.lower()], at = _text(block, at)
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise BadHeaders(str(error)) from error
        return headers


def _text(block: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", block, at)
    end = at + 4 + length
    if end > len(block):
        raise BadHeaders("a header is longer than its block")
    return block[at + 4 : end].decode(), end
