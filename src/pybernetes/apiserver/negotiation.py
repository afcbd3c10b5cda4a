"""What form of an answer the client accepts, read from its Accept header and query. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.wire import Request

Media = Literal["json", "yaml", "protobuf"]
CONTENT_TYPES: Mapping[Media, str] = {
    "json": "application/json",
    "yaml": "application/yaml",
    "protobuf": "application/vnd.kubernetes.protobuf",
}
_ALL: Sequence[Media] = ("json", "yaml", "protobuf")
_MEDIA: Mapping[str, Sequence[Media]] = {
    **{name: (media,) for media, name in CONTENT_TYPES.items()},
    "application/*": _ALL,
    "*/*": _ALL,
}
_SUPPORTED = ", ".join(CONTENT_TYPES.values())
_STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
_PARTIAL = ("PartialObjectMetadata", "PartialObjectMetadataList")
# Tools whose answers are read by people.
_HUMAN_AGENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The form of the answer: its media type, what is shown of objects, and whether people will read it."""

    media: Media = "json"
    form: Literal["object", "table", "partial"] = "object"
    # The version of meta.k8s.io that a table or partial object is written in.
    version: str = "v1"
    pretty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Offer:
    """What there is to choose from. There are few, which are told apart by identity: that is fast."""

    watch: bool = False
    # Objects may be shown as tables or as their metadata only.
    transforms: bool = True
    # Custom resources have no messages; their metadata has.
    custom: bool = False


# Whether it is a watch and of custom resources -> the offer.
_OBJECTS = {(watch, custom): _Offer(watch, custom=custom) for watch in (False, True) for custom in (False, True)}
_DOCUMENT = _Offer(transforms=False)
# Longer headers are not remembered.
_KNOWN_HEADER_MAX = 1000


def negotiate(request: Request, kind: Kind | None = None, *, watch: bool = False) -> Accepted:
    """The first acceptable form of objects of a kind, in the client's order; 406 when there is none."""
    custom = kind is not None and issubclass(kind.type, CustomObject)
    return _negotiated(request, _OBJECTS[watch, custom])


def negotiate_document(request: Request) -> Accepted:
    """The same for what is shown in one way only, such as errors and discovery."""
    return _negotiated(request, _DOCUMENT)


def _negotiated(request: Request, offer: _Offer) -> Accepted:
    header = request.headers.get("accept", "*/*") or "*/*"
    find = _known if len(header) <= _KNOWN_HEADER_MAX else _negotiate
    return find(header, offer, _is_for_people(request))


def _is_for_people(request: Request) -> bool:
    pretty = request.parameter("pretty")
    if pretty:
        return pretty.lower() not in ("", "0", "false")
    return request.headers.get("user-agent", "").startswith(_HUMAN_AGENTS)


@lru_cache(maxsize=512)
def _known(accept: str, offer: _Offer, human: bool) -> Accepted:
    """The same, remembered: clients send the same again and again."""
    return _negotiate(accept, offer, human)


def _negotiate(accept: str, offer: _Offer, human: bool) -> Accepted:
    clauses = by_quality(accept)
    # The first look, at the names alone, takes wildcards only if they are whole; custom resources have no such look.
    if not offer.custom and not any(name in _MEDIA and name != "application/*" for name, _parameters in clauses):
        message = f"406: Not Acceptable\n\nAvailable representations: {_SUPPORTED}, {_STREAMS}"
        raise failure(406, "NotAcceptable", message, StatusDetails())
    for name, parameters in clauses:
        for media in _MEDIA.get(name, ()):
            accepted = _accepted(media, parameters, offer, human)
            if accepted is None:
                continue
            if offer.watch and media == "yaml":
                raise _not_acceptable(f"only the following media types are accepted: {_STREAMS}")
            return accepted
    raise _not_acceptable(f"only the following media types are accepted: {_SUPPORTED}")


def _accepted(media: Media, parameters: Mapping[str, str], offer: _Offer, human: bool) -> Accepted | None:
    """The form that one clause asks for; None when there is no such form."""
    pretty = human or parameters.get("pretty") == "1"
    stream = parameters.get("stream")
    if stream and (stream != "watch" or media == "yaml"):
        return None
    if not parameters.keys() & {"as", "g", "v"}:
        return None if media == "protobuf" and offer.custom else Accepted(media, pretty=pretty)
    shown, version = parameters.get("as", ""), parameters.get("v", "")
    if not offer.transforms or parameters.get("g") != "meta.k8s.io" or version not in ("v1", "v1beta1"):
        return None
    if shown == "Table":
        # There is no message for tables.
        return None if media == "protobuf" else Accepted(media, "table", version, pretty)
    return Accepted(media, "partial", version, pretty) if shown in _PARTIAL else None


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
    # Of clauses that are wanted equally, the ones that say more come first.
    clauses.sort(key=lambda clause: (-clause[0], clause[1].startswith("*/"), clause[1].endswith("/*")))
    return [(media, parameters) for _quality, media, parameters in clauses]


def _not_acceptable(message: str) -> StatusError:
    return failure(406, "NotAcceptable", message)
