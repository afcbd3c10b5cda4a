"""The cluster that command-line tests talk to is the one that all clients are tested with."""

from __future__ import annotations

from tests.clients.conftest import environment, namespace, place, tools

__all__ = ["environment", "namespace", "place", "tools"]
