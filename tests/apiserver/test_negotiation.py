"""Which form of an answer a client gets for its Accept header."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import CustomObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.wire import Request
from pybernetes.apiserver.negotiation import Accepted, negotiate, negotiate_document


class Cake(CustomObject, kw_only=True):
    """What somebody defined."""


PODS = kind_of(Pod)
CAKES = replace(PODS, type=Cake)
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON = "application/json"
YAML = "application/yaml"
TABLE = "as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def asking(accept: str, **headers: str) -> Request:
    return Request("GET", "/api/v1/pods", (), {"accept": accept, **headers}, b"")


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "json"),
        ("*/*", "json"),
        (PROTOBUF, "protobuf"),
        (f"{PROTOBUF}, */*", "protobuf"),
        (f"{PROTOBUF},{JSON}", "protobuf"),
        (f"{JSON},{PROTOBUF}", "json"),
        (f"{JSON};q=0.5,{PROTOBUF}", "protobuf"),
        (f"{PROTOBUF};q=0.5,{YAML};q=0.7", "yaml"),
        # What says more goes first, of what is wanted equally.
        (f"*/*,{PROTOBUF}", "protobuf"),
        (f"application/*,{YAML}", "yaml"),
        (f"application/*;q=0.9,{YAML};q=0.8", "json"),
        (f"text/html,{PROTOBUF}", "protobuf"),
        # Tables have no messages.
        (f"{PROTOBUF};{TABLE},{PROTOBUF}", "protobuf"),
        (f"{PROTOBUF};stream=other,{JSON}", "json"),
        (f"{PROTOBUF};stream=watch", "protobuf"),
    ],
)
def test_the_media_type(accept: str, media: str) -> None:
    assert negotiate(asking(accept), PODS).media == media
    assert negotiate(asking(accept), PODS).form == "object"


def test_forms_of_objects() -> None:
    assert negotiate(asking(f"{PROTOBUF};{TABLE},{JSON};{TABLE},{JSON}"), PODS) == Accepted("json", "table")
    assert negotiate(asking(f"{PROTOBUF};{PARTIAL},{JSON}"), PODS) == Accepted("protobuf", "partial")
    beta = PARTIAL.replace("v=v1", "v=v1beta1")
    assert negotiate(asking(f"{PROTOBUF};{beta}"), PODS) == Accepted("protobuf", "partial", "v1beta1")


def test_custom_resources_have_messages_of_their_metadata_only() -> None:
    assert negotiate(asking(f"{PROTOBUF};{PARTIAL}"), CAKES) == Accepted("protobuf", "partial")
    assert negotiate(asking(f"{PROTOBUF},{JSON}"), CAKES).media == "json"
    for accept in (PROTOBUF, "text/html"):
        with pytest.raises(StatusError, match="^only the following media types are accepted: "):
            negotiate(asking(accept), CAKES)


def test_documents_and_errors_are_shown_in_one_form_only() -> None:
    assert negotiate_document(asking(f"{PROTOBUF};{PARTIAL},{JSON};{TABLE},{YAML}")) == Accepted("yaml")
    with pytest.raises(StatusError, match="only the following media types are accepted"):
        negotiate_document(asking(f"{PROTOBUF};{PARTIAL}"))


@pytest.mark.parametrize(
    ("accept", "why"),
    [
        ("text/html", "406: Not Acceptable\n\nAvailable representations: application/json, "),
        ("application/*", "406: Not Acceptable"),
        (f"{PROTOBUF};{TABLE}", "only the following media types are accepted: application/json, application/yaml, "),
        (f"{JSON};as=Cake;v=v1;g=meta.k8s.io", "only the following media types are accepted: "),
    ],
)
def test_what_there_is_not(accept: str, why: str) -> None:
    with pytest.raises(StatusError) as raised:
        negotiate(asking(accept), PODS)
    assert raised.value.code == 406 and str(raised.value).startswith(why)


def test_there_are_no_watches_in_yaml() -> None:
    with pytest.raises(StatusError, match="application/vnd.kubernetes.protobuf;stream=watch"):
        negotiate(asking(f"{YAML},{JSON}"), PODS, watch=True)
    assert negotiate(asking(f"{PROTOBUF},{YAML}"), PODS, watch=True).media == "protobuf"


def test_people_are_shown_json_that_can_be_read() -> None:
    assert negotiate(asking("*/*", **{"user-agent": "curl/8"}), PODS).pretty
    assert negotiate(asking(f"{JSON};pretty=1"), PODS).pretty
    assert not negotiate(asking("*/*", **{"user-agent": "kubectl"}), PODS).pretty
