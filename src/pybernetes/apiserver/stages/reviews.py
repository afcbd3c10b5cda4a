"""Answers the kinds that ask: may this user do that, who am I, whose token is this.

A review object comes in from the pipeline, private to the request, and goes out with its status filled in; nothing is
stored. Bad questions raise StatusError 400 or 422 in Kubernetes' words.
"""

from __future__ import annotations

from pybernetes.api.kind import Kind
from pybernetes.api.names import label_value, qualified_name
from pybernetes.api.objects import ApiObject, to_builtins
from pybernetes.api.status import (
    FieldError,
    aggregate,
    bad_request,
    forbidden_field,
    invalid,
    invalid_object,
    required,
)
from pybernetes.api.types import authentication_v1 as authentication
from pybernetes.api.types import authorization_v1 as authorization
from pybernetes.api.types.meta_v1 import FieldSelectorRequirement, LabelSelectorRequirement, ObjectMeta
from pybernetes.api.types.rbac_v1 import PolicyRule
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authentication import Authenticator
from pybernetes.apiserver.stages.authorization import NO_NODE_RULES, Authorizer, Decision
from pybernetes.apiserver.stages.jws import InvalidToken

# The errors of bad reviews name no kind, as upstream's do.
_NAMELESS = type("", (ApiObject,), {})
_Asked = authorization.SubjectAccessReviewSpec | authorization.SelfSubjectAccessReviewSpec
_ACCESS = Kind("authorization.k8s.io", "v1", "", _NAMELESS)


def review(
    kind: Kind, obj: ApiObject, user: UserInfo, authorizer: Authorizer, authenticator: Authenticator, now: str = ""
) -> ApiObject:
    """The same object with its answer; `now` is when it was asked. TypeError for a kind that is no review."""
    match obj:
        case authorization.SubjectAccessReview():
            _raise(_access_errors(obj.spec) + _metadata_errors(obj.metadata))
            obj.status = _access(obj.spec, authorizer)
        case authorization.LocalSubjectAccessReview():
            _raise(_access_errors(obj.spec) + _local_errors(obj))
            obj.status = _access(obj.spec, authorizer)
        case authorization.SelfSubjectAccessReview():
            _raise(_attribute_errors(obj.spec) + _metadata_errors(obj.metadata))
            obj.status = _answer(_decide(user, obj.spec, authorizer))
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
    extra = {key.lower(): tuple(values) for key, values in spec.extra.items()}
    user = UserInfo(spec.user or "", spec.uid or "", tuple(spec.groups), extra)
    return _answer(_decide(user, spec, authorizer))


def _access_errors(spec: authorization.SubjectAccessReviewSpec) -> list[FieldError]:
    errors = _what_errors(spec)
    if not spec.user and not spec.groups:
        errors.append(invalid("spec.user", "", "at least one of user or group must be specified"))
    return errors + _selector_errors(spec.resource_attributes)


def _attribute_errors(spec: authorization.SelfSubjectAccessReviewSpec) -> list[FieldError]:
    return _what_errors(spec) + _selector_errors(spec.resource_attributes)


def _what_errors(spec: _Asked) -> list[FieldError]:
    resource, path = spec.resource_attributes, spec.non_resource_attributes
    if resource is not None and path is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        return [invalid("spec.nonResourceAttributes", _as_go(path), detail)]
    if resource is None and path is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [invalid("spec.resourceAttributes", None, detail)]
    return []


def _as_go(path: authorization.NonResourceAttributes) -> dict[str, str]:
    return {"Path": path.path or "", "Verb": path.verb or ""}


def _selector_errors(resource: authorization.ResourceAttributes | None) -> list[FieldError]:
    """What is wrong with what a question says of selectors; operators yet to come are let pass."""
    errors: list[FieldError] = []
    for name in ("field_selector", "label_selector"):
        selector = getattr(resource, name, None)
        if selector is None:
            continue
        path = f"spec.resourceAttributes.{name.partition('_')[0]}Selector"
        if selector.raw_selector and selector.requirements:
            detail = "may not specified at the same time as requirements"
            errors.append(invalid(f"{path}.rawSelector", selector.raw_selector, detail))
        if not selector.raw_selector and not selector.requirements:
            detail = f"when {path} is specified, requirements or rawSelector is required"
            errors.append(required(f"{path}.requirements", detail))
        for index, requirement in enumerate(selector.requirements):
            errors += _requirement_errors(requirement, f"{path}.requirements[{index}]", name == "label_selector")
    return errors


def _requirement_errors(
    requirement: LabelSelectorRequirement | FieldSelectorRequirement, path: str, of_labels: bool
) -> list[FieldError]:
    errors: list[FieldError] = []
    if not requirement.key and not of_labels:
        errors.append(required(f"{path}.key", "must be specified"))
    if requirement.operator in ("In", "NotIn") and not requirement.values:
        errors.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    if requirement.operator in ("Exists", "DoesNotExist") and requirement.values:
        detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        errors.append(forbidden_field(f"{path}.values", detail))
    if of_labels:
        errors += [invalid(f"{path}.key", requirement.key, text) for text in qualified_name(requirement.key)]
        for index, value in enumerate(requirement.values):
            errors += [invalid(f"{path}.values[{index}]", value, text) for text in label_value(value)]
    return errors


def _metadata_errors(metadata: ObjectMeta, allowed: str = "") -> list[FieldError]:
    """A question is no object: it has no metadata, but for the namespace that it is about where that is `allowed`."""
    bare = ObjectMeta(managed_fields=metadata.managed_fields, namespace=metadata.namespace if allowed else None)
    if metadata == bare:
        return []
    shown = {key: value for key, value in to_builtins(metadata).items() if key != "managedFields"}
    return [invalid("metadata", shown, f"must be empty{allowed}")]


def _raise(errors: list[FieldError]) -> None:
    if errors:
        error = invalid_object(_ACCESS, "", errors)
        if error.status.details is not None:
            error.status.details.kind = None
        raise error


def _local_errors(obj: authorization.LocalSubjectAccessReview) -> list[FieldError]:
    resource, path = obj.spec.resource_attributes, obj.spec.non_resource_attributes
    errors = _metadata_errors(obj.metadata, " except for namespace")
    if resource is not None and (resource.namespace or "") != (obj.metadata.namespace or ""):
        detail = "must match metadata.namespace"
        errors.append(invalid("spec.resourceAttributes.namespace", resource.namespace or "", detail))
    if path is not None:
        errors.append(invalid("spec.nonResourceAttributes", _as_go(path), "disallowed on this kind of request"))
    return errors


def _decide(user: UserInfo, spec: _Asked, authorizer: Authorizer) -> Decision:
    resource, path = spec.resource_attributes, spec.non_resource_attributes
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
    rules, unresolved = authorizer.rules(user, namespace), authorizer.unresolved(user, namespace)
    return authorization.SubjectRulesReviewStatus(
        resource_rules=[_resource_rule(rule) for rule in rules if rule.resources],
        non_resource_rules=[_path_rule(rule) for rule in rules if rule.non_resource_urls],
        incomplete=NO_NODE_RULES in unresolved,
        evaluation_error=aggregate(unresolved) if unresolved else None,
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
