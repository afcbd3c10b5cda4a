"""Objects in files: `-f` with files, folders, URLs left out, and `-` for stdin; YAML or JSON, several documents, Lists.

`read` gives one `Manifest` an object, saying where it came from. Used by apply, create, replace, delete and get.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pybernetes.api import yaml
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.resources import Resource
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FILES = (Flag("filename", "f"), switch("recursive", "R"), Flag("kustomize", "k"))
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Manifest:
    """One object of a file."""

    source: str
    value: dict[str, Any]
    resource: Resource
    namespace: str

    @property
    def name(self) -> str:
        return str(self.value["metadata"].get("name") or "")

    @property
    def shown(self) -> str:
        return f"{self.resource.label}/{self.name}"

    @property
    def where(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name


async def read(session: Session, words: Words) -> list[Manifest]:
    """The objects of all files; `CommandError` for a file or a document that cannot be used."""
    if words.given("kustomize"):
        raise error("-k is not supported: build the kustomization and apply its output with -f -")
    values = [pair for name in words.listed("filename") for pair in _values(session, name, words.on("recursive"))]
    return [await _manifest(session, source, value) for source, value in values]


async def manifest_targets(session: Session, words: Words) -> list[Target]:
    """The objects that files name."""
    if not words.given("filename"):
        return []
    return [Target(manifest.resource, manifest.name) for manifest in await read(session, words)]


def _values(session: Session, name: str, recursive: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    if name == "-":
        yield from parse(session.stdin.read(), "STDIN")
        return
    if name.startswith(("http://", "https://")):
        raise error(f"cannot read {name}: only files, folders and - are supported")
    path = session.folder / name
    if not path.exists():
        raise error(f'the path "{name}" does not exist')
    if not path.is_dir():
        yield from parse(path.read_text(), name)
        return
    inside = sorted(path.rglob("*") if recursive else path.glob("*"))
    files = [file for file in inside if file.is_file() and file.suffix in _SUFFIXES]
    if not files:
        raise error(f"error reading [{name}]: recognized file extensions are [.json .yaml .yml]")
    for file in files:
        yield from parse(file.read_text(), str(Path(name) / file.relative_to(path)))


def parse(text: str, source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a text, Lists taken apart; `CommandError` for what is no object."""
    try:
        documents = [json.loads(text)] if text.lstrip().startswith("{") else list(yaml.load_all(text))
    except yaml.YamlError as why:
        raise error(f"error parsing {source}: error converting YAML to JSON: {why}") from None
    except ValueError as why:
        raise error(f"error parsing {source}: {why}") from None
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict):
            raise error(f'error validating "{source}": error validating data: invalid object to validate')
        if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
            yield from ((source, item) for item in document["items"])
        else:
            yield source, document


async def _manifest(session: Session, source: str, value: dict[str, Any]) -> Manifest:
    _check(source, value)
    api_version, kind = value["apiVersion"], value["kind"]
    metadata = value["metadata"]
    resource = await session.kind(api_version, kind)
    if resource is None:
        raise error(
            f'resource mapping not found for name: "{metadata.get("name", "")}" namespace: '
            f'"{metadata.get("namespace", "")}" from "{source}": no matches for kind "{kind}" in version '
            f'"{api_version}"\nensure CRDs are installed first'
        )
    if not resource.namespaced:
        return Manifest(source, value, resource, "")
    namespace = metadata.get("namespace") or session.namespace
    if session.namespace_given and namespace != session.namespace:
        raise error(
            f'the namespace from the provided object "{namespace}" does not match the namespace '
            f"\"{session.namespace}\". You must pass '--namespace={namespace}' to perform this operation."
        )
    return Manifest(source, {**value, "metadata": {**metadata, "namespace": namespace}}, resource, namespace)


def _check(source: str, value: dict[str, Any]) -> None:
    missing = [name for name in ("apiVersion", "kind") if not value.get(name)]
    if missing:
        listed = ", ".join(f"{name} not set" for name in missing)
        problem = listed if len(missing) == 1 else f"[{listed}]"
        raise error(
            f'error validating "{source}": error validating data: {problem}; if you choose to ignore these errors, '
            "turn validation off with --validate=false"
        )
    if not isinstance(value.get("metadata"), dict):
        value["metadata"] = {}
