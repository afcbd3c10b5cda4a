"""`kubectl create`: objects from files, and generators of namespaces, deployments, config maps and accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pybernetes.api.status import StatusError
from pybernetes.kubectl import output
from pybernetes.kubectl.apply import annotated, dry_run_note, write_query
from pybernetes.kubectl.failures import CommandError, error, explained, several, usage, with_context
from pybernetes.kubectl.manifests import FILES, Manifest, read
from pybernetes.kubectl.resources import built_in
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    *FILES,
    *output.FLAGS,
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("validate", default="strict", bare="strict"),
    Flag("field-manager", default="kubectl-create"),
    switch("save-config"),
    Flag("image"),
    Flag("replicas", "r", default="1"),
    Flag("port", default="-1"),
    Flag("from-literal"),
    Flag("from-file"),
)


async def run(session: Session, words: Words) -> int:
    """0 when everything was created."""
    if not words.given("filename"):
        return await _generate(session, words)
    failures: list[CommandError] = []
    for manifest in await read(session, words):
        try:
            await _create(session, words, manifest)
        except StatusError as failure:
            failures.append(explained(with_context("creating", manifest.source, failure)))
    if failures:
        raise several(failures)
    return 0


async def _create(session: Session, words: Words, manifest: Manifest) -> None:
    value = annotated(manifest.value) if words.on("save-config") else manifest.value
    result = value
    if words.text("dry-run") != "client":
        query = write_query(words, words.text("field-manager"))
        result = await session.request("POST", manifest.resource.path(manifest.namespace), query, value)
    if words.text("output"):
        session.out.write(output.printer(words)(result))
        return
    session.print(f"{manifest.resource.label}/{result['metadata'].get('name', '')} created{dry_run_note(words)}")


async def _generate(session: Session, words: Words) -> int:
    if not words.arguments:
        raise error("must specify one of -f and -k")
    kind, *names = words.arguments
    kind = {"ns": "namespace", "deploy": "deployment", "cm": "configmap", "sa": "serviceaccount"}.get(kind, kind)
    generate = _GENERATORS.get(kind)
    if generate is None:
        raise CommandError(f"error: unknown command \"{kind}\"\nSee 'kubectl create -h' for help and examples")
    if len(names) != 1:
        raise usage(f"exactly one NAME is required, got {len(names)}", f"create {kind}")
    value = generate(names[0], words)
    resource = built_in().kind(value["apiVersion"], value["kind"])
    assert resource is not None
    namespace = session.namespace_of(resource)
    if namespace:
        value["metadata"]["namespace"] = namespace
    try:
        await _create(session, words, Manifest("", value, resource, namespace))
    except StatusError as failure:
        if failure.code == 409:
            raise
        raise error(f"failed to create {kind}: {failure.status.message}") from failure
    return 0


def _namespace(name: str, _words: Words) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _service_account(name: str, _words: Words) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def _config_map(name: str, words: Words) -> dict[str, Any]:
    data = {}
    for pair in words.all("from-literal"):
        key, equals, text = pair.partition("=")
        if not equals:
            raise error(f"invalid literal source {pair}, expected key=value")
        data[key] = text
    for pair in words.all("from-file"):
        key, equals, file = pair.partition("=")
        path = Path(file if equals else pair)
        data[key if equals else path.name] = path.read_text()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _deployment(name: str, words: Words) -> dict[str, Any]:
    if not words.text("image"):
        raise error('required flag(s) "image" not set')
    image = words.text("image")
    container: dict[str, Any] = {"name": image.rpartition("/")[2].partition("@")[0].partition(":")[0], "image": image}
    if words.number("port") >= 0:
        container["ports"] = [{"containerPort": words.number("port")}]
    if words.rest:
        container["command"] = list(words.rest)
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": words.number("replicas"),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


_GENERATORS: dict[str, Callable[[str, Words], dict[str, Any]]] = {
    "namespace": _namespace,
    "serviceaccount": _service_account,
    "configmap": _config_map,
    "deployment": _deployment,
}
