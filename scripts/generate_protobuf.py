"""Generates `api/schema/protobuf.json`: the field numbers of every message that a served type can hold.

Flow: the published field numbers (message -> field -> [number, type]), our `definitions.json` and Go programs that hold
the types (kubectl, helm) go in; a table keyed by definition, with fields named as in JSON, comes out:
`{definition: {number: [name, type, zero]}}`. An empty name means that the message's fields stand in the object itself,
as Go embeds it. Types: a scalar's name or a definition, after `[]` in a list and `{}` in a map. `zero` is there for
what is no pointer in Go, which protobuf writes even when it is zero: JSON has that zero "written" or "omitted".
Run it by hand, after `generate_api.py`:
`.venv/bin/python scripts/generate_protobuf.py protobuf-kubernetes.json /usr/bin/kubectl /usr/bin/helm`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import go_types

SCHEMA = Path(__file__).parent.parent / "src/pybernetes/api/schema"

Messages = dict[str, dict[str, tuple[int, str]]]

# Messages that are answered though no definition is published of them.
META = "io.k8s.apimachinery.pkg.apis.meta."
ROOTS = (
    META + "v1.PartialObjectMetadata",
    META + "v1.PartialObjectMetadataList",
    META + "v1beta1.PartialObjectMetadataList",
    "io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList",
)
# The values, not pointers, of types that the programs do not hold.
VALUES = frozenset({"metadata", "spec", "status", "insecureSkipTLSVerify"})
NUMBER = re.compile(r'protobuf:"\w+,(\d+)')


def definition(message: str) -> str:
    """`k8s.io.api.core.v1.Pod` -> `io.k8s.api.core.v1.Pod`."""
    return "io.k8s." + message.removeprefix("k8s.io.").replace("_", "-")


def renamed(type_: str) -> str:
    """A field's type in our notation."""
    if type_.startswith("repeated "):
        return "[]" + renamed(type_.removeprefix("repeated "))
    if type_.startswith("map<"):
        return "{}" + renamed(type_.removesuffix(">").partition(",")[2])
    return definition(type_) if "." in type_ else type_


def plain(name: str) -> str:
    """What a name has in common with its spelling in JSON."""
    return name.replace("$", "").replace("-", "").lower()


class Table:
    """Collects the messages that are reached from the definitions."""

    def __init__(self, messages: Messages, definitions: dict[str, Any], types: go_types.Types) -> None:
        self.messages = {definition(name): fields for name, fields in messages.items()}
        self.definitions = definitions
        self.types = types
        self.rows: dict[str, dict[str, list[str]]] = {}

    def add(self, name: str, embedding: dict[str, str]) -> None:
        """Adds a message; `embedding` holds the JSON names of the object that the message stands in."""
        if name in self.rows or name not in self.messages:
            return
        node = self.definitions.get(name, {})
        names = {plain(field): field for field in node.get("properties", {})} or embedding
        row = self.rows[name] = {}
        for field, (number, type_) in self.messages[name].items():
            target = renamed(type_)
            wire = names.get(plain(field), "" if self.embeds(target, names) else field)
            row[str(number)] = [wire, target, *self.zero(name, number, wire, target)]
            self.add(target.removeprefix("[]").removeprefix("{}"), names if not wire else {})

    def zero(self, name: str, number: int, wire: str, target: str) -> list[str]:
        """How JSON has the zero of a field: nothing for one that can be nil."""
        if target.startswith(("[]", "{}")):
            return []
        known = {match[1]: field for field in self.go_fields(name) if (match := NUMBER.search(field.tag))}
        if field := known.get(str(number)):
            omitted = re.search(r'json:"[^"]*,omit(empty|zero)', field.tag)
            return [] if field.nilable else ["omitted" if omitted else "written"]
        if wire in self.definitions.get(name, {}).get("required", ()):
            return ["written"]
        return ["omitted"] if target == "string" or wire in VALUES else []

    def go_fields(self, name: str) -> list[go_types.GoField]:
        """The fields of a definition's struct, or of its beta's where the programs are older than the definition."""
        package, _, kind = name.removeprefix("io.k8s.").rpartition(".")
        path = "k8s.io/" + package.replace(".", "/")
        return self.types.get((path, kind)) or self.types.get((path + "beta1", kind), [])

    def embeds(self, target: str, names: dict[str, str]) -> bool:
        inner = self.messages.get(target, {})
        return bool(inner and names) and all(self.known(field, type_, names) for field, (_, type_) in inner.items())

    def known(self, field: str, type_: str, names: dict[str, str]) -> bool:
        return plain(field) in names or self.embeds(renamed(type_), names)


def main() -> None:
    messages = json.loads(Path(sys.argv[1]).read_text())
    definitions = json.loads((SCHEMA / "definitions.json").read_text())
    types: go_types.Types = {}
    for program in sys.argv[2:]:
        types |= go_types.read(Path(program))
    table = Table(messages, definitions, types)
    for name in (*definitions, *ROOTS):
        table.add(name, {})
    text = json.dumps(table.rows, separators=(",", ":"), sort_keys=True)
    (SCHEMA / "protobuf.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
