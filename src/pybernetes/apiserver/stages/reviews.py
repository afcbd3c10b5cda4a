"""Answers the kinds that ask: may this user do that, who am I, whose token is this.

A review object comes in from the pipeline, private to the request, and goes out with its status filled in; nothing is
stored. Bad questions raise StatusError 400 or 422 in Kubernetes' words.
"""

from __future__ import annotations

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import FieldError, bad_request, invalid, invalid_object
from pybernetes.api.types import authentication_v1 as authentication
from pybernetes.api.types import authorization_v1 as authorization
from pybernetes.api.types.rbac_v1 import PolicyRule
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authentication import Authenticator
from pybernetes.apiserver.stages.authorization import Authorizer, Decision
from pybernetes.apiserver.stages.jws import InvalidToken

# The errors of bad reviews name no kind, as upstream's do.
_NAMELESS = type("", (ApiObject,), {})
_ACCESS = Kind("authorization.k8s.io", "v1", "", _NAMELESS)


def review(
    kind: Kind, obj: ApiObject, user: UserInfo, authorizer: Authorizer, authenticator: Authenticator, now: str = ""
) -> ApiObject:
    """The same object with its answer; `now` is when it was asked. TypeError for a kind that is no review."""
    match obj:
        case authorization.SubjectAccessReview():
            obj.status = _access(obj.spec, authorizer)
        case authorization.LocalSubjectAccessReview():
            _check_namespace(obj)
            obj.status = _access(obj.spec, authorizer)
        case authorization.SelfSubjectAccessReview():
            obj.status = _self_access(obj.spec, user, authorizer)
        case authorization.SelfSubjectRulesReview():
            obj.status = _rules(obj.spec.namespace or "", user, authorizer)
            obj.spec = authorization.SelfSubjectRulesReviewSpec()
        case authentication.SelfSubjectReview():
            obj.metadata.creation_timestamp = now
            obj.status.user_info = _shown(user)
        case authentication.TokenReview():
            obj.status = _token(obj.spec, authenticator)
        case _:
            raise TypeError(f"{kind.name} is no review")
    return obj


def _access(
    spec: authorization.SubjectAccessReviewSpec, authorizer: Authorizer
) -> authorization.SubjectAccessReviewStatus:
    errors = _attribute_errors(spec.resource_attributes, spec.non_resource_attributes)
    if not spec.user and not spec.groups:
        errors.append(invalid("spec.user", "", "at least one of user or group must be specified"))
    _raise(errors)
    extra = {key.lower(): tuple(values) for key, values in spec.extra.items()}
    user = UserInfo(spec.user or "", spec.uid or "", tuple(spec.groups), extra)
    return _answer(_decide(user, spec.resource_attributes, spec.non_resource_attributes, authorizer))


def _self_access(
    spec: authorization.SelfSubjectAccessReviewSpec, user: UserInfo, authorizer: Authorizer
) -> authorization.SubjectAccessReviewStatus:
    _raise(_attribute_errors(spec.resource_attributes, spec.non_resource_attributes))
    return _answer(_decide(user, spec.resource_attributes, spec.non_resource_attributes, authorizer))


def _attribute_errors(
    resource: authorization.ResourceAttributes | None, path: authorization.NonResourceAttributes | None
) -> list[FieldError]:
    if resource is not None and path is not None:
        given = {"Path": path.path or "", "Verb": path.verb or ""}
        detail = "cannot be specified in combination with resourceAttributes"
        return [invalid("spec.nonResourceAttributes", given, detail)]
    if resource is None and path is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [invalid("spec.resourceAttributes", None, detail)]
    return []


def _raise(errors: list[FieldError]) -> None:
    if errors:
        error = invalid_object(_ACCESS, "", errors)
        if error.status.details is not None:
            error.status.details.kind = None
        raise error


def _check_namespace(obj: authorization.LocalSubjectAccessReview) -> None:
    attributes = obj.spec.resource_attributes
    if obj.spec.non_resource_attributes is not None:
        detail = "disallowed on this kind of request"
        given = obj.spec.non_resource_attributes
        shown = {"Path": given.path or "", "Verb": given.verb or ""}
        _raise([invalid("spec.nonResourceAttributes", shown, detail)])
    if attributes is not None and (attributes.namespace or "") != (obj.metadata.namespace or ""):
        detail = "must match metadata.namespace"
        _raise([invalid("spec.resourceAttributes.namespace", attributes.namespace or "", detail)])


def _decide(
    user: UserInfo,
    resource: authorization.ResourceAttributes | None,
    path: authorization.NonResourceAttributes | None,
    authorizer: Authorizer,
) -> Decision:
    if resource is None:
        assert path is not None
        return authorizer.authorize(user, RequestInfo(path.path or "", path.verb or ""))
    info = RequestInfo(
        path="",
        verb=resource.verb or "",
        is_resource=True,
        group=resource.group or "",
        version=resource.version or "",
        resource=resource.resource or "",
        subresource=resource.subresource or "",
        namespace=resource.namespace or "",
        name=resource.name or "",
    )
    return authorizer.authorize(user, info, _selector_text(resource.field_selector))


def _selector_text(selector: authorization.FieldSelectorAttributes | None) -> str:
    if selector is None:
        return ""
    terms = [f"{item.key}={item.values[0]}" for item in selector.requirements if item.operator == "In" and item.values]
    return selector.raw_selector or ",".join(terms)


def _answer(decision: Decision) -> authorization.SubjectAccessReviewStatus:
    return authorization.SubjectAccessReviewStatus(allowed=decision.allowed, reason=decision.reason or None)


def _rules(namespace: str, user: UserInfo, authorizer: Authorizer) -> authorization.SubjectRulesReviewStatus:
    if not namespace:
        raise bad_request("no namespace on request")
    rules = authorizer.rules(user, namespace)
    return authorization.SubjectRulesReviewStatus(
        resource_rules=[_resource_rule(rule) for rule in rules if rule.resources],
        non_resource_rules=[_path_rule(rule) for rule in rules if rule.non_resource_urls],
        incomplete=False,
    )


def _resource_rule(rule: PolicyRule) -> authorization.ResourceRule:
    return authorization.ResourceRule(
        verbs=rule.verbs, api_groups=rule.api_groups, resources=rule.resources, resource_names=rule.resource_names
    )


def _path_rule(rule: PolicyRule) -> authorization.NonResourceRule:
    return authorization.NonResourceRule(verbs=rule.verbs, non_resource_urls=rule.non_resource_urls)


def _shown(user: UserInfo) -> authentication.UserInfo:
    return authentication.UserInfo(
        username=user.name,
        uid=user.uid or None,
        groups=list(user.groups),
        extra={key: list(values) for key, values in user.extra.items()},
    )


def _token(spec: authentication.TokenReviewSpec, authenticator: Authenticator) -> authentication.TokenReviewStatus:
    if not spec.token:
        raise bad_request("token is required for TokenReview in authentication")
    audiences = spec.audiences or list(authenticator.audiences)
    try:
        found = authenticator.user_of_token(spec.token, audiences)
    except InvalidToken as error:
        return authentication.TokenReviewStatus(error=str(error))
    # A method that knows no audiences speaks for the API server's own.
    own = found.audiences if found.audiences is not None else authenticator.audiences
    shared = [audience for audience in audiences if audience in own]
    if audiences and not shared:
        return authentication.TokenReviewStatus()
    return authentication.TokenReviewStatus(authenticated=True, user=_shown(found.user), audiences=shared)
