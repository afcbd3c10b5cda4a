"""What our own OpenAPI documents allow, asked of the server that publishes them; answers are what they declare.

Always the same few operations of each document; SCHEMA_EXAMPLES asks for all of them, with that many requests each,
drawn anew every time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from pybernetes.api.wire import Response
from tests.fuzz.target import Target

_ASKED = int(os.environ.get("SCHEMA_EXAMPLES", "0"))
asked = settings(
    max_examples=_ASKED or 2,
    derandomize=not _ASKED,
    database=None,
    deadline=None,
    # What fails is shown as it was drawn: making it smaller takes minutes with documents of this size.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# Names that lead somewhere, so that requests are not all about what does not exist.
KNOWN = {"namespace": "fuzz", "name": "default", "path": "healthz"}
_OPERATIONS_MAX = 6
# Upstream's document calls it a text, which it is not.
UNTRUE = "/.well-known/openid-configuration/"
Operation = Any


@pytest.fixture(scope="module")
def documents(target: Target) -> dict[str, Any]:
    """Every document of the server by its path."""
    return {path: target.json("GET", f"/openapi/v3/{path}") for path in paths(target)}


def paths(target: Target) -> list[str]:
    return sorted(target.json("GET", "/openapi/v3")["paths"])


def operations(document: Any) -> Iterator[Operation]:
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        yield found.ok()


def body_of(case: Any) -> bytes:
    """JSON, whatever media type it is sent as: only few bodies of other types would come out of a schema."""
    if case.media_type is None or isinstance(case.body, schemathesis.core.NotSet):
        return b""
    return case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode("utf-8", "surrogatepass")


def query_of(case: Any) -> tuple[tuple[str, str], ...]:
    pairs = ((name, value if isinstance(value, list) else [value]) for name, value in (case.query or {}).items())
    return tuple((name, text(value)) for name, values in pairs for value in values)


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def fitting(body: Any) -> Any:
    """The body without what contradicts the path."""
    if not isinstance(body, dict):
        return body
    name = {} if "status" in body else {"metadata": {"generateName": "fuzz-"}}
    return {key: value for key, value in body.items() if key not in ("kind", "apiVersion")} | name


def ask(target: Target, operation: Operation, case: Any) -> None:
    """Sends the case; the target holds the answer to its promises."""
    headers = {} if case.media_type in (None, "*/*") else {"content-type": case.media_type}
    response = target.send(case.method, case.formatted_path, body_of(case), headers, query_of(case))
    if response.stream is None and response.upgrade is None and response.status < 300:
        declares(operation, response)


def declares(operation: Operation, response: Response) -> str:
    """The status and the media type, which is returned, are among those that the operation declares."""
    declared = operation.definition.raw["responses"]
    assert str(response.status) in declared, (operation.label, response.status)
    media = str(response.headers["content-type"]).partition(";")[0]
    allowed = declared[str(response.status)].get("content", {})
    assert not allowed or media in allowed or "*/*" in allowed, (operation.label, media, sorted(allowed))
    return media


def conforms(operation: Operation, response: Response) -> None:
    """The body is as its schema says. Strange objects may lack lists, which are null then, as Go writes them."""
    if declares(operation, response) != "application/json" or operation.path == UNTRUE:
        return
    kept = {name: [value] if isinstance(value, str) else list(value) for name, value in response.headers.items()}
    request = requests.Request(operation.method.upper(), "https://fuzz/").prepare()
    answer = schemathesis.Response(
        response.status, kept, response.body, request, 0.0, True, HTTPStatus(response.status).phrase
    )
    operation.validate_response(answer)


def test_what_is_there_is_what_the_documents_say(target: Target, documents: dict[str, Any]) -> None:
    """Lists and objects that every cluster has, against their schemas. Strangers have written nothing yet."""
    for document in documents.values():
        for operation in operations(document):
            path = operation.path
            if operation.method != "get" or "{path}" in path or "/watch/" in path or path.endswith("/log"):
                continue
            response = target.send("GET", path.format_map(KNOWN))
            if response.status == 200 and response.stream is None:
                conforms(operation, response)
    assert msgspec.json.decode(target.send("GET", "/api/v1/namespaces").body)["items"]


def test_operations_of_every_document(target: Target, documents: dict[str, Any]) -> None:
    assert len(documents) > 40
    for document in documents.values():
        found = list(operations(document))
        step = 1 if _ASKED else len(found) // _OPERATIONS_MAX + 1
        for operation in found[::step]:
            checked(target, operation)
    target.still_works()


def checked(target: Target, operation: Operation) -> None:
    @asked
    @given(operation.as_strategy())
    def all_is_well(case: Any) -> None:
        ask(target, operation, case)
        case.path_parameters = {name: KNOWN.get(name, value) for name, value in (case.path_parameters or {}).items()}
        case.body = fitting(case.body)
        ask(target, operation, case)

    all_is_well()
