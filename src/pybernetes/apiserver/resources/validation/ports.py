"""Rules for ports, wherever they stand: their protocols, and how one is told by number or by name."""

from __future__ import annotations

from pybernetes.api.names import port_name, port_number
from pybernetes.api.status import FieldError
from pybernetes.api.struct import IntOrString
from pybernetes.apiserver.resources.validation.texts import obeys

PROTOCOLS = ("SCTP", "TCP", "UDP")


def named_port(port: IntOrString | None, path: str) -> list[FieldError]:
    """A port by number, or by the name that a container gives it."""
    return obeys(port, port_name, path) if isinstance(port, str) else obeys(port or 0, port_number, path)
