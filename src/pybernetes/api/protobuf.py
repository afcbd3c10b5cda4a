"""stub"""

from __future__ import annotations
from typing import Any


class NotProtobuf(ValueError):
    pass


class WireError(ValueError):
    pass


def decode(body: bytes, definition: str) -> dict[str, Any]:
    raise NotProtobuf("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
