"""Base64 as Go's encoding/base64 reads it: line breaks are skipped, everything else is strict.

Flow: text from a JSON or YAML value goes in; bytes, or Go's error text with the offset, come out.
"""

from __future__ import annotations

import base64

_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def decode(text: str) -> bytes:
    """The decoded bytes; ValueError with the text `illegal base64 data at input byte N`."""
    offset = _first_illegal(text)
    if offset >= 0:
        raise ValueError(f"illegal base64 data at input byte {offset}")
    return base64.b64decode(text.replace("\n", "").replace("\r", ""))


def _first_illegal(text: str) -> int:
    """The offset that Go reports, or -1."""
    held = 0  # characters of the current group of four
    padding = -1
    complete = False
    for index, character in enumerate(text):
        if character in "\r\n":
            continue
        if complete or (padding >= 0 and character != "="):
            return index if complete else padding
        if character == "=":
            if held < 2:
                return index
            padding = index if padding < 0 else padding
        elif character not in _ALPHABET:
            return index
        held = (held + 1) % 4
        complete = padding >= 0 and held == 0
    if padding >= 0:
        return -1 if complete else len(text)
    return -1 if held == 0 else len(text) - held
