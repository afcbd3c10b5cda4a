"""Port-forward's words: one SPDY connection, and for every forwarded TCP connection a pair of streams. Pure.

The API server only relays the bytes; clients and simulated kubelets speak with these.
"""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.whole_number import whole_number

PROTOCOL = "portforward.k8s.io"
# The WebSocket sub-protocol that carries a whole SPDY connection in its binary messages.
TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io"


def error_headers(port: int, request: int) -> dict[str, str]:
    """The stream on which the other side says what went wrong; begun first and ended at once in our direction."""
    return {"streamtype": "error", "port": str(port), "requestid": str(request)}


def data_headers(port: int, request: int) -> dict[str, str]:
    """The stream that is the TCP connection."""
    return {"streamtype": "data", "port": str(port), "requestid": str(request)}


def asked_for(headers: Mapping[str, str]) -> tuple[str, int, str] | None:
    """(stream type, port, request) of a stream that a client begins; None when its headers are not such."""
    type_, port, request = (headers.get(name, "") for name in ("streamtype", "port", "requestid"))
    number = whole_number(port)
    if type_ not in ("error", "data") or number is None or not 0 < number < 65536:
        return None
    return type_, number, request
