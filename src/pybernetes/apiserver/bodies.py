"""Bodies of write requests: decoded, checked against the path, with what field validation has to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from pybernetes.api import status, strictness
from pybernetes.api.encoding import Decoded, DecodeError, UnsupportedMediaType, decode
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.api.wire import Request
from pybernetes.apiserver.custom import reading
from pybernetes.apiserver.field_management.options import manager_of, option_problem
from pybernetes.apiserver.field_management.tracking import keep_reset
from pybernetes.apiserver.query_options import check_delete_options, flag, invalid_options, queried_delete_options
from pybernetes.apiserver.request import RequestInfo
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.api import yaml

Body = TypeVar("Body")
# In the order of upstream's message, which sorts them.
_MODES = ("", "Ignore", "Strict", "Warn")
_UNKNOWN_KIND = re.compile(r'no kind "[^"]*" is registered for version "[^"]*"')
_NO_KIND = re.compile(r"(couldn't get version/kind; json parse error: .*) \([^()]*\)$", re.DOTALL)
_OPTIONS_SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"
# What a request body may weigh.
_BODY_BYTES_MAX = 3 * 1024 * 1024
# Longer than what of a user agent becomes a manager's name.
_AGENT_MAX = 1024


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The query of a write request."""

    dry_run: bool
    validation: str
    # Who is named as the writer: the parameter, or the beginning of the user agent.
    field_manager: str
    # For server-side apply: to take fields from other managers.
    force: bool = False
    # What the query says of the manager and of validation; empty where that is left to the server.
    named_manager: str = ""
    named_validation: str = ""


def write_options(request: Request) -> WriteOptions:
    """400 or 422 for values that upstream refuses."""
    if not request.query and request.method != "PATCH":
        return _usual_options(request.headers.get("user-agent", "")[:_AGENT_MAX])
    dry = [value for key, value in request.query if key == "dryRun"]
    if any(value != "All" for value in dry):
        raise _invalid_options(request, status.not_supported("dryRun", dry, ["All"]))
    mode = request.parameter("fieldValidation")
    if mode and mode not in _MODES:
        error = status.not_supported("fieldValidation", mode, _MODES)
        raise _invalid_options(request, error)
    named = request.parameter("fieldManager")
    force = flag(request, "force") if request.method == "PATCH" else None
    if problem := option_problem(request, named, force):
        raise _invalid_options(request, problem)
    manager = manager_of(named, request.headers.get("user-agent", ""))
    return WriteOptions(bool(dry), mode or "Warn", manager, bool(force), named, mode)


@lru_cache(maxsize=256)
def _usual_options(agent: str) -> WriteOptions:
    """Those of a request that asks for nothing in particular."""
    return WriteOptions(dry_run=False, validation="Warn", field_manager=manager_of("", agent))


def _invalid_options(request: Request, error: status.FieldError) -> status.StatusError:
    name = {"POST": "CreateOptions", "PUT": "UpdateOptions", "DELETE": "DeleteOptions"}.get(
        request.method, "PatchOptions"
    )
    return invalid_options(name, [error])


def read_object(request: Request, type_: type[Body], validation: str, warn: Callable[[str], None]) -> Body:
    """The body as a typed object; complaints of field validation go to `warn` or are a 400."""
    if len(request.body) > _BODY_BYTES_MAX:
        message = f"Request entity too large: limit is {_BODY_BYTES_MAX}"
        raise status.failure(413, "RequestEntityTooLarge", message)
    try:
        decoded = _decoded(request.body, request.headers.get("content-type", ""), type_, validation != "Ignore")
    except UnsupportedMediaType as error:
        raise status.failure(415, "UnsupportedMediaType", str(error)) from error
    except DecodeError as error:
        report_strict(error.strict, validation, warn, type_)
        raise status.bad_request(str(error)) from error
    report_strict(decoded.strict, validation, warn, type_)
    if b"managedFields" in request.body:
        keep_reset(request.body, decoded.object)
    return decoded.object


def _decoded(body: bytes, content_type: str, type_: type[Body], strict: bool) -> Decoded[Body]:
    if issubclass(type_, CustomObject):
        return cast("Decoded[Body]", reading.read(body, content_type, type_, strict=strict))
    if not strict and strictness.duplicates(body):
        # Who wants to hear nothing of it has them merged all the same.
        body = msgspec.json.encode(strictness.merged(body))
    return decode(body, content_type, type_, strict=strict)


def report_strict(problems: list[str], validation: str, warn: Callable[[str], None], type_: type[Any]) -> None:
    """Unknown and duplicate fields, as the field validation mode wants them told."""
    if not problems or validation == "Ignore":
        return
    if validation == "Strict":
        text = ", ".join(problems)
        raise status.bad_request(
            f'{type_.__name__} in version "{_version(type_)}" cannot be handled as a {type_.__name__}: '
            f"strict decoding error: {text}"
        )
    for problem in problems:
        for line in yaml.problem_lines(problem):
            warn(line)


def _version(type_: type[Any]) -> str:
    return str(type_().api_version).rsplit("/", maxsplit=1)[-1]


def place(obj: ApiObject, info: RequestInfo, kind: Kind) -> None:
    """Puts the object where the path says; 400 where the body says otherwise."""
    metadata = obj.metadata
    place_in_namespace(obj, info.namespace if kind.namespaced else "")
    if not info.name:
        return
    if not metadata.name:
        raise status.bad_request(
            f"the name of the object ({info.name} based on URL) was undeterminable: name must be provided"
        )
    if metadata.name != info.name:
        raise status.bad_request(
            f"the name of the object ({metadata.name}) does not match the name on the URL ({info.name})"
        )


def place_in_namespace(obj: ApiObject, namespace: str) -> None:
    """Puts the object into a namespace, or into none; 400 where it says that it is in another one."""
    metadata = obj.metadata
    if not namespace:
        if metadata.namespace:
            metadata.namespace = None
        return
    if metadata.namespace and metadata.namespace != namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata.namespace = namespace


def delete_options(request: Request, warn: Callable[[str], None]) -> DeleteOptions:
    """The options of a deletion: the body's if there is one, else the query's."""
    if request.body:
        given = _given_delete_options(request, warn)
        check_delete_options(given)
        return given
    options = queried_delete_options(request)
    check_delete_options(options)
    return options


def _given_delete_options(request: Request, warn: Callable[[str], None]) -> DeleteOptions:
    try:
        return read_object(request, DeleteOptions, "Ignore", warn)
    except status.StatusError as error:
        # These options are read by a decoder of their own, whose errors say less around them.
        if match := _UNKNOWN_KIND.search(str(error)):
            raise status.bad_request(f'{match.group(0)} in scheme "{_OPTIONS_SCHEME}"') from error
        if match := _NO_KIND.search(str(error)):
            raise status.bad_request(match.group(1)) from error
        raise
