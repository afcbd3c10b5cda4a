"""ListOptions and DeleteOptions as clients send them: what upstream refuses before it looks for anything.

A request goes in; values, or StatusError 400 or 422 in upstream's words and order, come out. Called by the pipeline for
list, watch and deletecollection, and by `bodies` for deletions. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api import duration, status
from pybernetes.api.status import FieldError, StatusError, forbidden_field, invalid, not_supported
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions, StatusCause, StatusDetails
from pybernetes.api.wire import Request
from pybernetes.apiserver.query_numbers import parse_int

_MATCH = "resourceVersionMatch"
_POLICIES = ("Foreground", "Background", "Orphan", "nil")
_UNREADABLE = "ignoreStoreReadErrorWithClusterBreakingPotential"


def flag(request: Request, name: str) -> bool | None:
    """A truth value of the query: all but `false` and `0` is true, an empty one too; None when it is not there."""
    for key, value in request.query:
        if key == name:
            return value.lower() not in ("false", "0")
    return None


def number(request: Request, name: str) -> int | None:
    """A signed number of the query, None when it is not there; 400 with strconv's text for what is none."""
    for key, value in request.query:
        if key == name:
            try:
                return parse_int(value)
            except ValueError as error:
                raise status.bad_request(str(error)) from error
    return None


def invalid_options(kind: str, errors: Sequence[FieldError]) -> StatusError:
    """422 for the options of a request: `ListOptions.meta.k8s.io "" is invalid: ...`."""
    texts = [str(error) for error in errors]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [StatusCause(reason=error.type, message=error.body, field=error.field) for error in errors]
    details = StatusDetails(group="meta.k8s.io", kind=kind, causes=causes)
    return status.failure(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {listed}', details)


def request_seconds(request: Request) -> float:
    """How long the client gives a request (`timeout`), 0 when it does not say; 400 for what is no duration."""
    text = request.parameter("timeout")
    try:
        return duration.parse(text) if text else 0.0
    except ValueError as error:
        raise status.bad_request(f"invalid timeout specified in the request URL - {error}") from error


def check_list_options(request: Request, *, watch: bool) -> None:
    """400 for what is no number, 422 for options that exclude one another."""
    if not request.query:
        return
    for name in ("limit", "timeoutSeconds"):
        number(request, name)
    if errors := _watch_errors(request) if watch else _list_errors(request):
        raise invalid_options("ListOptions", errors)


def _list_errors(request: Request) -> list[FieldError]:
    match, revision = request.parameter(_MATCH), request.parameter("resourceVersion")
    errors = []
    if match and not revision:
        errors.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
    if match and request.parameter("continue"):
        errors.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    if match and match not in ("Exact", "NotOlderThan"):
        errors.append(not_supported(_MATCH, match, ["Exact", "NotOlderThan", ""]))
    if match == "Exact" and revision == "0":
        errors.append(forbidden_field(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if flag(request, "sendInitialEvents") is not None:
        errors.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _watch_errors(request: Request) -> list[FieldError]:
    match, asked = request.parameter(_MATCH), flag(request, "sendInitialEvents") is not None
    errors = []
    if asked and match != "NotOlderThan":
        errors.append(forbidden_field(_MATCH, f"sendInitialEvents requires setting {_MATCH} to NotOlderThan"))
    if match and not asked:
        detail = f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"
        errors.append(forbidden_field(_MATCH, detail))
    if match and match != "NotOlderThan":
        errors.append(not_supported(_MATCH, match, ["NotOlderThan"]))
    if request.parameter("continue"):
        errors.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    return errors


def queried_delete_options(request: Request) -> DeleteOptions:
    """The options of a deletion that has no body; 400 for what is no number."""
    options = DeleteOptions()
    if not request.query:
        return options
    options.grace_period_seconds = number(request, "gracePeriodSeconds")
    options.propagation_policy = next((value for key, value in request.query if key == "propagationPolicy"), None)
    options.orphan_dependents = flag(request, "orphanDependents")
    options.ignore_store_read_error_with_cluster_breaking_potential = flag(request, _UNREADABLE)
    options.dry_run = [value for key, value in request.query if key == "dryRun"]
    uid, revision = request.parameter("uid") or None, request.parameter("resourceVersion") or None
    if uid or revision:
        options.preconditions = Preconditions(uid=uid, resource_version=revision)
    return options


def check_delete_options(options: DeleteOptions) -> None:
    """422 for options that upstream refuses."""
    policy = options.propagation_policy
    errors = []
    if policy is not None and options.orphan_dependents is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", policy, detail))
    if policy is not None and policy not in _POLICIES[:3]:
        errors.append(not_supported("propagationPolicy", policy, _POLICIES))
    if any(value != "All" for value in options.dry_run):
        errors.append(not_supported("dryRun", options.dry_run, ["All"]))
    if options.ignore_store_read_error_with_cluster_breaking_potential:
        errors += _beside_unreadable(options)
    if errors:
        raise invalid_options("DeleteOptions", errors)


def _beside_unreadable(options: DeleteOptions) -> list[FieldError]:
    """What cannot be said of an object that may not be readable."""
    others = {
        "dryRun": bool(options.dry_run),
        "propagationPolicy": options.propagation_policy is not None,
        "orphanDependents": options.orphan_dependents is not None,
        "gracePeriodSeconds": options.grace_period_seconds is not None,
        "preconditions": options.preconditions is not None,
    }
    texts = [f"cannot be set together with .{name}" for name, is_set in others.items() if is_set]
    return [invalid(_UNREADABLE, True, text) for text in texts]
