"""What form of an answer the client accepts, read from its Accept header and query. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.wire import Request

_MEDIA = {"application/json": "json", "application/yaml": "yaml", "*/*": "json"}
_SUPPORTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
_ALL_SUPPORTED = f"{_SUPPORTED}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
_STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
_FORMS = {
    "Table": "table",
    "PartialObjectMetadata": "partial",
    "PartialObjectMetadataList": "partial",
}
# Tools whose answers are read by people.
_HUMAN_AGENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The form of the answer: its media type, what is shown of objects, and whether people will read it."""

    media: Literal["json", "yaml"] = "json"
    form: Literal["object", "table", "partial"] = "object"
    # The version of meta.k8s.io that a table or partial object is written in.
    version: str = "v1"
    pretty: bool = False


def negotiate(request: Request, *, watch: bool = False) -> Accepted:
    """The first acceptable form in the client's order; 406 when there is none."""
    agent = request.headers.get("user-agent", "")
    pretty = request.parameter("pretty")
    human = pretty.lower() not in ("", "0", "false") if pretty else agent.startswith(_HUMAN_AGENTS)
    return _negotiate(request.headers.get("accept", "*/*") or "*/*", watch, human)


@lru_cache(maxsize=512)
def _negotiate(accept: str, watch: bool, human: bool) -> Accepted:
    offered = False
    for clause in by_quality(accept):
        media, parameters = clause
        if media not in _MEDIA:
            continue
        if watch and media == "application/yaml":
            raise _not_acceptable(f"only the following media types are accepted: {_STREAMS}")
        offered = True
        accepted = _accepted(media, parameters, human)
        if accepted is not None:
            return accepted
    if offered:
        raise _not_acceptable(f"only the following media types are accepted: {_SUPPORTED}")
    message = f"406: Not Acceptable\n\nAvailable representations: {_ALL_SUPPORTED}"
    raise failure(406, "NotAcceptable", message, StatusDetails())


def _accepted(media: str, parameters: dict[str, str], human: bool) -> Accepted | None:
    pretty = human or parameters.get("pretty") == "1"
    kind = _MEDIA[media]
    assert kind in ("json", "yaml")
    if "as" not in parameters:
        return Accepted("yaml" if kind == "yaml" else "json", pretty=pretty)
    form = _FORMS.get(parameters["as"])
    version = parameters.get("v", "")
    if form is None or parameters.get("g") != "meta.k8s.io" or version not in ("v1", "v1beta1"):
        return None
    if form == "table":
        return Accepted("yaml" if kind == "yaml" else "json", "table", version, pretty)
    return Accepted("yaml" if kind == "yaml" else "json", "partial", version, pretty)


def by_quality(accept: str) -> list[tuple[str, dict[str, str]]]:
    """The clauses of an Accept header, best first: media types with their parameters."""
    clauses = []
    for text in accept.split(","):
        media, *rest = (part.strip() for part in text.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        clauses.append((quality, media, parameters))
    clauses.sort(key=lambda clause: -clause[0])
    return [(media, parameters) for _quality, media, parameters in clauses]


def _not_acceptable(message: str) -> StatusError:
    return failure(406, "NotAcceptable", message)
