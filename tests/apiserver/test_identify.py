"""What a request is about, and what of it the authorizer hears."""

from __future__ import annotations

import pytest

from pybernetes.api.wire import Request
from pybernetes.apiserver.identify import identify, selected


@pytest.mark.parametrize(
    ("method", "path", "query", "verb", "namespace", "resource", "name"),
    [
        ("GET", "/api/v1/namespaces", "", "list", "", "namespaces", ""),
        ("GET", "/api/v1/namespaces/other", "", "get", "other", "namespaces", "other"),
        ("PUT", "/api/v1/namespaces/other/finalize", "", "update", "other", "namespaces", "other"),
        ("GET", "/api/v1/namespaces/other/pods", "watch=1", "watch", "other", "pods", ""),
        ("GET", "/api/v1/namespaces/other/pods", "watch=0", "list", "other", "pods", ""),
        ("GET", "/api/v1/namespaces/other/pods", "watch=", "watch", "other", "pods", ""),
        ("GET", "/api/v1/watch/namespaces/other/pods", "", "watch", "other", "pods", ""),
        ("GET", "/api/v1/namespaces/other/pods/foo/proxy/sub", "", "get", "other", "pods", "foo"),
        ("HEAD", "/api/v1/pods", "", "list", "", "pods", ""),
        ("DELETE", "/apis/apps/v1/namespaces/other/deployments", "", "deletecollection", "other", "deployments", ""),
        ("POST", "/apis/nobody/v1/namespaces/other/things", "", "create", "other", "things", ""),
    ],
)
def test_targets(method: str, path: str, query: str, verb: str, namespace: str, resource: str, name: str) -> None:  # noqa: PLR0913
    pairs = (tuple(query.split("=")),) if query else ()
    info = identify(Request(method, path, pairs))  # type: ignore[arg-type]
    assert info.is_resource
    assert (info.verb, info.namespace, info.resource, info.name) == (verb, namespace, resource, name)


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/apps/v1", "/bad/v1/pods", "/apis/v1/pods"])
def test_what_is_no_resource(path: str) -> None:
    assert not identify(Request("GET", path)).is_resource


@pytest.mark.parametrize(
    ("method", "selector", "name"),
    [
        ("GET", "metadata.name=foo", "foo"),
        ("GET", "metadata.name==foo,spec.nodeName=x", "foo"),
        ("GET", "metadata.name!=foo", ""),
        ("GET", "metadata.name=foo,bad", ""),
        ("GET", "metadata.name=a/b", ""),
        ("DELETE", "metadata.name=foo", ""),
    ],
)
def test_only_who_reads_one_object_is_asked_about_that(method: str, selector: str, name: str) -> None:
    info = identify(Request(method, "/api/v1/namespaces/default/pods"))
    assert selected(info, selector).name == name
