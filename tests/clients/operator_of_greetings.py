"""An operator made with kopf: a Greeting becomes a ConfigMap, a status and, at its end, a farewell.

Run by `kopf run`; see `test_kopf.py`.
"""

from __future__ import annotations

from typing import Any

import kopf
from kubernetes import client, config

_KIND = ("tests.example.com", "v1", "greetings")


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    config.load_kube_config()
    settings.persistence.finalizer = "tests.example.com/farewell"


@kopf.on.create(*_KIND)
@kopf.on.resume(*_KIND)
def greet(spec: kopf.Spec, name: str, namespace: str, **_: Any) -> dict[str, str]:
    """Makes the child; what it gives is kept in the status."""
    child = {"metadata": {"name": name}, "data": {"text": f"{spec['words']} x{spec['times']}"}}
    kopf.adopt(child)
    client.CoreV1Api().create_namespaced_config_map(namespace, child)
    return {"child": name}


@kopf.on.field(*_KIND, field="spec.words")
def reword(old: str | None, new: str | None, name: str, namespace: str, patch: kopf.Patch, **_: Any) -> None:
    """Follows a change."""
    if old is None or new is None:
        return
    client.CoreV1Api().patch_namespaced_config_map(name, namespace, {"data": {"text": new}})
    patch.status["said"] = [old, new]


@kopf.on.delete(*_KIND)
def farewell(name: str, namespace: str, **_: Any) -> None:
    """Must be over before the object may go."""
    body = {"metadata": {"name": f"farewell-{name}"}}
    client.CoreV1Api().create_namespaced_config_map(namespace, body)


@kopf.on.event("", "v1", "configmaps", labels={"seen": "please"})
def seen(name: str, namespace: str, meta: kopf.Meta, **_: Any) -> None:
    """Handlers of built-in kinds, by label."""
    patch = {"metadata": {"labels": {"seen": "yes"}}}
    client.CoreV1Api().patch_namespaced_config_map(name, namespace, patch)
