"""Entries in protobuf: the message of an object as it is stored, and the bodies that several kinds have alike.

An entry goes in, bytes come out. What was written lately is kept, since what one client has listed is listed by the
next one, and what was written to one watch goes into the lists of others. Called by `protobuf_rendering`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pybernetes.api import protobuf_writer, schema
from pybernetes.api.protobuf_table import has_message
from pybernetes.api.protobuf_text import text_encoder_of
from pybernetes.api.recent import Recent
from pybernetes.apiserver.entry import Entry

_BYTES_MAX = 16 * 1024 * 1024


# By the entries' stored bytes, which they hold themselves, and their revisions.
_RECENT: Recent[tuple[bytes, int]] = Recent(_BYTES_MAX)


def message(entry: Entry, definition: str) -> bytes:
    """The entry's message, without an envelope; `definition` is that of the kind that it is stored as."""
    key = entry.value, entry.revision
    return _RECENT.get(key) or _RECENT.keep(key, text_encoder_of(definition)(entry.encoded()), len(entry.value))


def body(value: dict[str, Any]) -> bytes:
    """A plain object that says what it is, such as a Status, as a body; KeyError for a kind without a message."""
    # Discovery of the core group says no version.
    definition = _definitions()[value.get("apiVersion") or "v1", value["kind"]]
    return protobuf_writer.encode(value, definition)


@cache
def _definitions() -> dict[tuple[str, str], str]:
    """The definitions of messages by apiVersion and kind."""
    found = {
        ("apidiscovery.k8s.io/v2", "APIGroupDiscoveryList"): "io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList",
    }
    for name, definition in schema.definitions().items():
        for row in definition.get("x-kubernetes-group-version-kind", ()):
            group, version = row["group"], row["version"]
            if has_message(name):
                found[f"{group}/{version}" if group else version, row["kind"]] = name
    return found
