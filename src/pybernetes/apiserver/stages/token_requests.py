"""TokenRequests: what they leave open is filled in, what they want a token bound to is looked up, and it is issued.

A TokenRequest and its ServiceAccount go in, the token comes out in its status. Called by the `token` sub-resource.
"""

from __future__ import annotations

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import bad_request, conflict, invalid, invalid_object, not_found
from pybernetes.api.types.authentication_v1 import BoundObjectReference, TokenRequest, TokenRequestStatus
from pybernetes.api.types.core_v1 import Node, Pod, Secret, ServiceAccount
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.service_account_tokens import DEFAULT_SECONDS, Bound, TokenIssuer

TOKEN_REQUEST = Kind("authentication.k8s.io", "v1", "tokenrequests", TokenRequest)
_SHORTEST_SECONDS = 600
_LONGEST_SECONDS = 1 << 32
_BINDABLE: dict[tuple[str, str], type[ApiObject]] = {("v1", "Pod"): Pod, ("v1", "Secret"): Secret, ("v1", "Node"): Node}


def complete_request(request: TokenRequest, account: ServiceAccount, issuer: TokenIssuer) -> None:
    """Fills in what a TokenRequest for an account leaves open.

    Raises StatusError: 422 for a bad duration or another account's name, 409 for another account's uid.
    """
    spec, metadata, owner = request.spec, request.metadata, account.metadata
    if metadata.name and metadata.name != owner.name:
        wrong = invalid("metadata.name", metadata.name, "must match the service account name if specified")
        raise invalid_object(TOKEN_REQUEST, owner.name or "", [wrong])
    if metadata.uid and metadata.uid != owner.uid:
        raise conflict(
            # As below, an error that names the kind.
            Kind(TOKEN_REQUEST.group, TOKEN_REQUEST.version, TOKEN_REQUEST.name, TokenRequest),
            owner.name or "",
            f"the UID in the token request ({metadata.uid}) does not match the UID of the service account "
            f"({owner.uid})",
        )
    if spec.expiration_seconds is None:
        spec.expiration_seconds = DEFAULT_SECONDS
    if not spec.audiences:
        spec.audiences = list(issuer.audiences)
    metadata.name, metadata.namespace, metadata.uid = owner.name, owner.namespace, owner.uid
    metadata.creation_timestamp = issuer.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    request.status = TokenRequestStatus()
    _check_duration(spec.expiration_seconds)


def request_token(request: TokenRequest, account: ServiceAccount, issuer: TokenIssuer, reader: Reader) -> TokenRequest:
    """Answers a complete TokenRequest for an account in its status; 404 / 409 / 400 for a bad bound object."""
    bound = _resolve(request.spec.bound_object_ref, account, reader)
    request.status.token, request.status.expiration_timestamp = issuer.issue(account, request.spec, bound)
    return request


def _check_duration(seconds: int) -> None:
    field_name = "spec.expirationSeconds"
    if seconds < _SHORTEST_SECONDS:
        error = invalid(field_name, seconds, "may not specify a duration less than 10 minutes")
    elif seconds > _LONGEST_SECONDS:
        error = invalid(field_name, seconds, "may not specify a duration larger than 2^32 seconds")
    else:
        return
    raise invalid_object(TOKEN_REQUEST, "", [error])


def _resolve(reference: BoundObjectReference | None, account: ServiceAccount, reader: Reader) -> Bound:
    if reference is None:
        return Bound()
    type_ = _BINDABLE.get((reference.api_version or "", reference.kind or ""))
    if type_ is None:
        group, _, version = (reference.api_version or "").rpartition("/")
        raise bad_request(f"cannot bind token to object of type {group}/{version}, Kind={reference.kind or ''}")
    kind, name = kind_of(type_), reference.name or ""
    found = reader.get(type_, name, (account.metadata.namespace or "") if kind.namespaced else "")
    if found is None:
        raise not_found(kind, name)
    if isinstance(found, Pod) and (found.spec.service_account_name or "") != account.metadata.name:
        text = f'cannot bind token for serviceaccount "{account.metadata.name}" to pod running with different '
        raise bad_request(f"{text}serviceaccount name.")
    if reference.uid and reference.uid != found.metadata.uid:
        raise conflict(
            # These errors name the kind where others name the resource.
            Kind("", "v1", kind.name, type_),
            name,
            f"the UID in the bound object reference ({reference.uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        )
    node_name = (found.spec.node_name or "") if isinstance(found, Pod) else ""
    node = reader.get(Node, node_name) if node_name else None
    return Bound(kind.name, found, node_name, (node.metadata.uid or "") if node else "")
