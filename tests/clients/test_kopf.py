"""An operator made with kopf: its definition, its handlers, its finalizer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from tests.clients.server import Place

_HERE = Path(__file__).parent
_DEFINITION = yaml.safe_load((_HERE / "manifests" / "greetings.yaml").read_text())
_KIND = ("tests.example.com", "v1")
_PATIENCE = 30  # seconds


@pytest.fixture(scope="module")
def api(place: Place) -> Iterator[client.ApiClient]:
    """A client of a server which serves greetings."""
    with config.new_client_from_config(str(place.kubeconfig)) as made:
        definitions = client.ApiextensionsV1Api(made)
        definitions.create_custom_resource_definition(_DEFINITION)
        stream = watch.Watch().stream(
            definitions.list_custom_resource_definition,
            field_selector=f"metadata.name={_DEFINITION['metadata']['name']}",
            timeout_seconds=_PATIENCE,
        )
        assert any(is_established(event["object"]) for event in stream)
        yield made
        definitions.delete_custom_resource_definition(_DEFINITION["metadata"]["name"])


def is_established(definition: client.V1CustomResourceDefinition) -> bool:
    return any(each.type == "Established" and each.status == "True" for each in definition.status.conditions or [])


class Greetings:
    """The greetings of a namespace, and its ConfigMaps."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.custom = client.CustomObjectsApi(api)
        self.core = client.CoreV1Api(api)
        self.namespace = namespace
        self.where = (*_KIND, namespace, "greetings")

    def create(self, name: str, **spec: Any) -> dict[str, Any]:
        body = {"apiVersion": "/".join(_KIND), "kind": "Greeting", "metadata": {"name": name}, "spec": spec}
        made: dict[str, Any] = self.custom.create_namespaced_custom_object(*self.where, body)
        return made

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first greeting of which it holds."""
        stream = watch.Watch().stream(self.custom.list_namespaced_custom_object, *self.where, timeout_seconds=_PATIENCE)
        return next(event["object"] for event in stream if event["type"] != "DELETED" and holds(event["object"]))

    def until_gone(self, name: str, version: str) -> None:
        stream = watch.Watch().stream(
            self.custom.list_namespaced_custom_object,
            *self.where,
            resource_version=version,
            timeout_seconds=_PATIENCE,
        )
        gone = ("DELETED", name)
        assert any((event["type"], event["object"]["metadata"]["name"]) == gone for event in stream)

    def config_map(self, name: str, holds: Callable[[client.V1ConfigMap], bool]) -> client.V1ConfigMap:
        """The ConfigMap as soon as something holds of it."""
        stream = watch.Watch().stream(
            self.core.list_namespaced_config_map,
            self.namespace,
            field_selector=f"metadata.name={name}",
            timeout_seconds=_PATIENCE,
        )
        return next(event["object"] for event in stream if holds(event["object"]))


@pytest.fixture
def greetings(api: client.ApiClient, namespace: str) -> Greetings:
    return Greetings(api, namespace)


@pytest.fixture
def operator(place: Place, namespace: str, api: client.ApiClient, tmp_path: Path) -> Iterator[None]:
    """The operator as a process, for one namespace."""
    environment = {**os.environ, "KUBECONFIG": str(place.kubeconfig)}
    program = str(_HERE / "operator_of_greetings.py")
    words = [sys.executable, "-m", "kopf", "run", "--standalone", f"--namespace={namespace}", program]
    with (tmp_path / "kopf.log").open("wb") as log:
        process = subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT)
        yield
        process.terminate()
        process.wait()


@pytest.mark.usefixtures("operator")
def test_a_greeting_is_acted_upon_from_its_birth_to_its_end(greetings: Greetings) -> None:
    made = greetings.create("hello", words="good morning")
    assert made["spec"]["times"] == 1
    found = greetings.until(lambda each: bool(each.get("status", {}).get("greet")))
    assert found["status"]["greet"] == {"child": "hello"}
    assert found["metadata"]["finalizers"] == ["tests.example.com/farewell"]
    child = greetings.core.read_namespaced_config_map("hello", greetings.namespace)
    assert child.data == {"text": "good morning x1"}
    assert [owner.uid for owner in child.metadata.owner_references] == [made["metadata"]["uid"]]

    change = {"spec": {"words": "good evening"}}
    greetings.custom.patch_namespaced_custom_object(*greetings.where, "hello", change)
    said = greetings.until(lambda each: bool(each["status"].get("said")))["status"]["said"]
    assert said == ["good morning", "good evening"]
    assert greetings.config_map("hello", lambda found: found.data == {"text": "good evening"})

    version = greetings.custom.list_namespaced_custom_object(*greetings.where)["metadata"]["resourceVersion"]
    greetings.custom.delete_namespaced_custom_object(*greetings.where, "hello")
    greetings.until_gone("hello", version)
    assert greetings.core.read_namespaced_config_map("farewell-hello", greetings.namespace)


@pytest.mark.usefixtures("operator")
def test_built_in_kinds_are_handled_by_label(greetings: Greetings) -> None:
    body = {"metadata": {"name": "look", "labels": {"seen": "please"}}}
    greetings.core.create_namespaced_config_map(greetings.namespace, body)
    assert greetings.config_map("look", lambda found: found.metadata.labels["seen"] == "yes")


def test_what_the_schema_forbids_is_refused(greetings: Greetings) -> None:
    with pytest.raises(ApiException) as failure:
        greetings.create("none", words="x" * 41, times=0)
    assert failure.value.status == 422
    assert "spec.words: Too long: may not be more than 40" in failure.value.body
    assert "spec.times: Invalid value: 0: spec.times in body should be greater than or equal to 1" in failure.value.body
