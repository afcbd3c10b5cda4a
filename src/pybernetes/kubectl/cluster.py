"""`kubectl version`, `cluster-info`, `api-versions` and `api-resources`: what the server is and has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pybernetes.kubectl import printing
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.resources import Resource
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

VERB_FIRST = True
FLAGS = (
    Flag("output", "o"),
    Flag("api-group"),
    Flag("namespaced"),
    Flag("verbs"),
    Flag("sort-by"),
    Flag("categories"),
    switch("no-headers"),
    switch("client"),
    switch("cached"),
)
VERSION = "v1.36.2"
# What this kubectl says of itself where Go's says how it was built.
_CLIENT = {"gitVersion": VERSION, "major": "1", "minor": "36", "compiler": "pybernetes", "gitTreeState": "clean"}


async def run(session: Session, words: Words) -> int:
    """0 when the server has answered."""
    actions = {
        "version": _version,
        "cluster-info": _cluster_info,
        "api-versions": _api_versions,
        "api-resources": _api_resources,
    }
    await actions[words.arguments[0]](session, words)
    return 0


async def _version(session: Session, words: Words) -> None:
    versions: dict[str, Any] = {"clientVersion": _CLIENT, "kustomizeVersion": "none"}
    if not words.on("client"):
        versions["serverVersion"] = await session.request("GET", "/version")
    form = words.text("output")
    if form in ("json", "yaml"):
        session.out.write(json.dumps(versions, indent=2) + "\n" if form == "json" else printing.as_yaml(versions))
        return
    if form:
        raise error("--output must be 'yaml' or 'json'")
    session.print(f"Client Version: {VERSION}")
    if not words.on("client"):
        session.print(f"Server Version: {versions['serverVersion']['gitVersion']}")


async def _cluster_info(session: Session, _words: Words) -> None:
    query = [("labelSelector", "kubernetes.io/cluster-service=true")]
    services = await session.request("GET", "/api/v1/namespaces/kube-system/services", query)
    session.print(f"Kubernetes control plane is running at {session.server}")
    for item in services.get("items") or ():
        metadata, ports = item["metadata"], item["spec"].get("ports") or [{}]
        name = (metadata.get("labels") or {}).get("kubernetes.io/name") or metadata["name"]
        port = f":{ports[0]['name']}" if ports[0].get("name") else ""
        path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}{port}/proxy"
        session.print(f"{name} is running at {session.server}{path}")
    session.print()
    session.print("To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")


async def _api_versions(session: Session, _words: Words) -> None:
    found = {resource.api_version for resource in (await session.catalog()).resources}
    for version in sorted(found):
        session.print(version)


async def _api_resources(session: Session, words: Words) -> None:
    resources = _preferred((await session.catalog()).resources)
    chosen = [resource for resource in resources if _is_wanted(resource, words)]
    if words.given("api-group"):
        chosen = [resource for resource in chosen if resource.group == words.text("api-group")]
    key = {"name": lambda item: item.plural, "kind": lambda item: item.kind}.get(words.text("sort-by"))
    chosen.sort(key=key or (lambda item: (item.group, item.plural)))
    if words.text("output") == "name":
        for resource in chosen:
            session.print(resource.group_resource)
        return
    session.out.write(resource_table(chosen, words.text("output") == "wide", not words.on("no-headers")))


def _preferred(resources: Sequence[Resource]) -> list[Resource]:
    """Of each group-resource the version that the server names first."""
    found: dict[str, Resource] = {}
    for resource in resources:
        found.setdefault(resource.group_resource, resource)
    return list(found.values())


def _is_wanted(resource: Resource, words: Words) -> bool:
    if words.given("namespaced") and resource.namespaced != (words.text("namespaced") == "true"):
        return False
    if words.given("categories") and not set(words.listed("categories")) <= set(resource.categories):
        return False
    return set(words.listed("verbs")) <= resource.verbs and bool(resource.verbs)


def resource_table(resources: Sequence[Resource], wide: bool, headers: bool) -> str:
    """The table of `api-resources`."""
    rows = [["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", *(["VERBS", "CATEGORIES"] if wide else [])]]
    for item in resources:
        row = [item.plural, ",".join(item.short_names), item.api_version, str(item.namespaced).lower(), item.kind]
        rows.append(row + ([",".join(sorted(item.verbs)), ",".join(item.categories)] if wide else []))
    return "".join(f"{line}\n" for line in printing.Columns().lines(rows if headers else rows[1:]))
