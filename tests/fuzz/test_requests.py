"""Any method, path, query and header gets a proper answer."""

# ruff: noqa: E501, SIM905 - tables of texts are read best in rows.
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api.kinds import KINDS
from tests.fuzz.effort import fuzzed
from tests.fuzz.target import Target
from tests.fuzz.words import NASTY, texts

METHODS = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"]
)
PARAMETERS = """labelSelector fieldSelector resourceVersion resourceVersionMatch limit continue watch timeoutSeconds
    allowWatchBookmarks sendInitialEvents dryRun fieldManager fieldValidation force pretty includeObject propagationPolicy
    gracePeriodSeconds orphanDependents container follow previous sinceSeconds sinceTime tailLines limitBytes timestamps
    stdin stdout stderr tty command ports path""".split()
KNOWN_PATHS = [
    *(kind.path("default" if kind.namespaced else None, name) for kind in KINDS for name in ("", "default")),
    *(kind.path("default" if kind.namespaced else None, "default", s.name) for kind in KINDS for s in kind.subresources),
    "/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v2", "/openapi/v3", "/openapi/v3/apis/apps/v1",
    "/healthz", "/livez", "/readyz", "/readyz/ping", "/metrics", "/version", "/.well-known/openid-configuration",
    "/openid/v1/jwks", "/api/v1/watch/pods", "/api/v1/namespaces/default/pods/a/proxy/b/c",
]  # fmt: skip
PATHS = st.one_of(
    st.sampled_from(KNOWN_PATHS),
    st.builds(lambda path, more: f"{path}/{more}", st.sampled_from(KNOWN_PATHS), texts),
    texts.map(lambda text: "/" + text),
)
QUERIES = st.lists(st.tuples(st.one_of(st.sampled_from(PARAMETERS), texts), texts), max_size=4).map(tuple)
ACCEPTS = [
    "*/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/html", "text/plain", ";;;,,,",
    "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", "application/json;q=nan", "application/json;as=;v=",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", "application/json;q=" + "9" * 400, "application/*",
]  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(
        ["authorization", "content-type", "accept", "accept-encoding", "user-agent", "impersonate-user", "impersonate-group",
         "impersonate-uid", "impersonate-extra-%zz", "upgrade", "connection", "sec-websocket-protocol", "if-none-match",
         "x-stream-protocol-version", "sec-websocket-key", "sec-websocket-version"]
    ),
    st.one_of(texts, st.sampled_from(["Bearer a.b.c", "Basic eA==", "gzip", "websocket", "Upgrade", "SPDY/3.1", "v5.channel.k8s.io"])),
    max_size=3,
)  # fmt: skip


@fuzzed
@given(METHODS, PATHS, QUERIES, HEADERS, st.binary(max_size=30))
def test_any_request(
    target: Target, method: str, path: str, query: tuple[tuple[str, str], ...], headers: dict[str, str], body: bytes
) -> None:
    target.send(method, path, body, headers, query)


@fuzzed
@given(st.sampled_from(["GET", "HEAD", "DELETE"]), st.sampled_from(KNOWN_PATHS), QUERIES)
def test_any_query(target: Target, method: str, path: str, query: tuple[tuple[str, str], ...]) -> None:
    target.send(method, path, query=query)


@fuzzed
@given(st.sampled_from(KNOWN_PATHS), st.one_of(st.sampled_from(ACCEPTS), texts), st.booleans())
def test_any_accept(target: Target, path: str, accept: str, watch: bool) -> None:
    query = (("watch", "true"), ("timeoutSeconds", "1")) if watch else ()
    target.send("GET", path, headers={"accept": accept}, query=query)


@fuzzed
@given(st.sampled_from(PARAMETERS), st.sampled_from(["pods", "events", "configmaps", "nodes"]), texts)
def test_any_word_of_a_list(target: Target, parameter: str, resource: str, text: str) -> None:
    for query in ([], [("watch", "1"), ("timeoutSeconds", "1")]):
        target.send("GET", f"/api/v1/{resource}", query=((parameter, text), *query))


def test_every_nasty_text_in_every_place(target: Target) -> None:
    for text in NASTY:
        target.send("GET", f"/api/v1/namespaces/{text}/pods")
        target.send("GET", f"/api/v1/namespaces/fuzz/pods/{text}/log")
        for parameter in PARAMETERS:
            target.send("GET", "/api/v1/namespaces/fuzz/pods", query=((parameter, text),))
            target.send("DELETE", "/api/v1/namespaces/fuzz/pods", query=((parameter, text),))
    target.still_works()
