"""A definition with a bit of everything, and its objects' paths."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRONTABS = "/apis/stable.example.com/v1/namespaces/default/crontabs"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["schedule"],
            "properties": {
                "schedule": {"type": "string", "pattern": "^[*0-9 /]+$"},
                "replicas": {"type": "integer", "minimum": 0, "default": 1},
                "zone": {"type": "string", "enum": ["east", "west"]},
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "port": {"x-kubernetes-int-or-string": True}},
                    },
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "template": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
        },
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "phase": {"type": "string"}}},
    },
}
SUBRESOURCES = {
    "status": {},
    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
}
COLUMNS = [
    {"name": "Schedule", "type": "string", "jsonPath": ".spec.schedule"},
    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
]


def definition(*versions: dict[str, Any], **names: Any) -> dict[str, Any]:
    """The definition of CronTabs; by default with one version that has all of the above."""
    whole = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": SUBRESOURCES,
        "additionalPrinterColumns": COLUMNS,
        "selectableFields": [{"jsonPath": ".spec.zone"}],
    }
    return {
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"], **names},
            "versions": list(versions) or [whole],
        },
    }


def crontab(name: str, spec: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {
        "apiVersion": "stable.example.com/v1",
        "kind": "CronTab",
        "metadata": {"name": name},
        "spec": {"schedule": "* *", **(spec or {})},
        **rest,
    }


@pytest.fixture
async def served(call: Caller) -> Caller:
    """A caller of a server that serves CronTabs."""
    code, _answer = await call("POST", DEFINITIONS, definition())
    assert code == 201
    return call
