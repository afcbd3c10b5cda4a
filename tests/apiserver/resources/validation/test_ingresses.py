"""What is said of Ingresses and their classes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status, on_update

_BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
_PATH = {"path": "/", "pathType": "Prefix", "backend": _BACKEND}


def _ingress(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"defaultBackend": _BACKEND, **spec}}


def _path(**changes: Any) -> dict[str, Any]:
    return _ingress(rules=[{"http": {"paths": [merged(_PATH, changes)]}}])


_WHERE = "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_ingress(rules=[{"host": "a.example.com", "http": {"paths": [_PATH]}}]), []),
        (_ingress(defaultBackend=None),
         ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
        (_path(path="/a//b/.."),
         [f"{_WHERE}.path: Invalid value: \"/a//b/..\": must not contain '//'",
          f"{_WHERE}.path: Invalid value: \"/a//b/..\": cannot end with '/..'"]),
        (_path(backend={"service": {"port": {"number": None, "name": "Web"}}}),
         [f'{_WHERE}.backend.service.port.name: Invalid value: "Web": '
          "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
        (_path(backend={"service": {"port": {"number": 70000}}}),
         [f"{_WHERE}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
        (_path(backend={"service": None, "resource": {"kind": "", "name": "a/b"}}),
         [f"{_WHERE}.backend.resource.kind: Required value: kind is required",
          f"{_WHERE}.backend.resource.name: Invalid value: \"a/b\": may not contain '/'"]),
        (_ingress(tls=[{"hosts": ["*.*.com"], "secretName": "s"}]),
         ['spec.tls[0].hosts[0]: Invalid value: "*.*.com": a wildcard DNS-1123 subdomain must start with \'*.\', '
          "followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' "
          "and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is "
          "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
    ],
)  # fmt: skip
def test_ingresses(document: dict[str, Any], said: list[str]) -> None:
    assert on_create(document) == said


def test_the_older_way_to_name_the_class_agrees_with_the_newer() -> None:
    document = merged(
        _ingress(ingressClassName="b"), {"metadata": {"annotations": {"kubernetes.io/ingress.class": "a"}}}
    )
    said = 'annotations.kubernetes.io/ingress.class: Invalid value: "a": '
    assert on_create(document) == [f"{said}must match `ingressClassName` when both are specified"]
    assert on_update(document, document) == []


def test_where_an_ingress_is_reached() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"hostname": "10.0.0.1"}]}}
    assert on_status(_ingress(), {}, status) == [
        'status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'
    ]


def _class(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "spec": {"controller": "example.com/c", **spec},
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_class(controller="c"),
         ['spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")']),
        (_class(parameters={"kind": "K", "name": "n", "scope": "Namespace"}),
         ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"]),
        (_class(parameters={"kind": "K", "name": "n", "scope": "Cluster", "namespace": "ns"}),
         ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"]),
    ],
)  # fmt: skip
def test_classes(document: dict[str, Any], said: list[str]) -> None:
    assert on_create(document) == said
