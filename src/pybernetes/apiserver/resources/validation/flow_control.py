"""Rules of flowcontrol.apiserver.k8s.io: which requests belong together, and how a priority level treats them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.flowcontrol_v1 import (
    ExemptPriorityLevelConfiguration,
    FlowSchema,
    LimitedPriorityLevelConfiguration,
    LimitResponse,
    NonResourcePolicyRule,
    PolicyRulesWithSubjects,
    PriorityLevelConfiguration,
    QueuingConfiguration,
    ResourcePolicyRule,
    ServiceAccountSubject,
    Subject,
)
from pybernetes.apiserver.bootstrap.flow_control import MANDATORY, mandatory_spec
from pybernetes.apiserver.resources.validation.internal_form import internal_part
from pybernetes.apiserver.resources.validation.lists import each, repeated, star_alone
from pybernetes.apiserver.resources.validation.texts import obeys

_RESPONSES = ("Queue", "Reject")
_TYPES = ("Exempt", "Limited")
_METHODS = ("ByNamespace", "ByUser")
_SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
# What kept zeros apart from nothing in an earlier version of the API.
_KEEPS_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
_LAST_PRECEDENCE = 10_000
_MOST_QUEUES = 10_000_000
_HASH_BITS = 60
_POSITIVE = "must be positive"
_NOT_NEGATIVE = "must be a non-negative integer"


def validate_flow_schema(schema: FlowSchema) -> list[FieldError]:
    spec, path = schema.spec, "spec.matchingPrecedence"
    precedence = spec.matching_precedence or 0
    errors: list[FieldError] = []
    if precedence <= 0:
        errors.append(invalid(path, precedence, "must be a positive value"))
    if precedence > _LAST_PRECEDENCE:
        errors.append(invalid(path, precedence, f"must not be greater than {_LAST_PRECEDENCE}"))
    if precedence == 1 and schema.metadata.name != "exempt":
        detail = "only the schema named 'exempt' may have matchingPrecedence 1"
        errors.append(invalid(path, precedence, detail))
    method = spec.distinguisher_method
    if method is not None and method.type not in _METHODS:
        errors.append(not_supported("spec.distinguisherMethod.type", {"Type": method.type}, _METHODS))
    level, where = spec.priority_level_configuration.name, "spec.priorityLevelConfiguration.name"
    if level:
        errors += obeys(level, dns1123_subdomain, where)
    else:
        errors.append(required(where, "must reference a priority level"))
    errors += each(spec.rules, _validate_rule, "spec.rules")
    name = schema.metadata.name or ""
    if name in MANDATORY and spec != mandatory_spec(FlowSchema, name):
        errors.append(invalid("spec", internal_part(spec), f"spec of '{name}' must equal the fixed value"))
    return errors + validate_flow_schema_status(schema, schema)


def validate_flow_schema_status(
    new: FlowSchema | PriorityLevelConfiguration, _old: FlowSchema | PriorityLevelConfiguration
) -> list[FieldError]:
    errors: list[FieldError] = []
    kinds = [condition.type or "" for condition in new.status.conditions]
    again = repeated(kinds)
    for index, kind in enumerate(kinds):
        path = f"status.conditions[{index}].type"
        if index in again:
            errors.append(duplicate(path, kind))
        if not kind:
            errors.append(required(path, "must not be empty"))
    return errors


def _validate_rule(rule: PolicyRulesWithSubjects, path: str) -> list[FieldError]:
    errors = each(rule.subjects, _validate_subject, f"{path}.subjects")
    if not rule.subjects:
        errors.append(required(f"{path}.subjects", "subjects must contain at least one value"))
    if not rule.resource_rules and not rule.non_resource_rules:
        detail = "at least one of resourceRules and nonResourceRules has to be non-empty"
        errors.append(required(path, detail))
    errors += each(rule.resource_rules, _validate_resources, f"{path}.resourceRules")
    return errors + each(rule.non_resource_rules, _validate_urls, f"{path}.nonResourceRules")


def _validate_subject(subject: Subject, path: str) -> list[FieldError]:
    own = _SUBJECTS.get(subject.kind)
    if own is None:
        return [not_supported(f"{path}.kind", subject.kind, tuple(_SUBJECTS))]
    given = {"group": subject.group, "serviceAccount": subject.service_account, "user": subject.user}
    named, where = given[own], f"{path}.{own}"
    errors: list[FieldError] = []
    if named is None:
        errors.append(required(where, f"{own} is required when subject kind is '{subject.kind}'"))
    elif not named.name:
        errors.append(required(f"{where}.name"))
    if isinstance(named, ServiceAccountSubject):
        errors += _validate_account(named, where)
    for kind, name in (("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")):
        if name != own and given[name] is not None:
            detail = f"{name} is forbidden when subject kind is not '{kind}'"
            errors.append(forbidden_field(f"{path}.{name}", detail))
    return errors


def _validate_account(account: ServiceAccountSubject, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if account.name not in ("", "*"):
        errors += obeys(account.name, dns1123_subdomain, f"{path}.name")
    if not account.namespace:
        return [*errors, required(f"{path}.namespace", "must specify namespace for service account")]
    where = f"{path}.namespace"
    return errors + obeys(account.namespace, dns1123_label, where)


def _validate_verbs(verbs: Sequence[str], path: str) -> list[FieldError]:
    if not verbs:
        return [required(path, "verbs must contain at least one value")]
    if "*" not in verbs and not set(verbs) <= set(_VERBS):
        return [not_supported(path, list(verbs), _VERBS)]
    return star_alone(verbs, "verbs", path)


def _validate_resources(rule: ResourcePolicyRule, path: str) -> list[FieldError]:
    errors = _validate_verbs(rule.verbs, f"{path}.verbs")
    for name, values, what, one in (
        ("apiGroups", rule.api_groups, "api groups", "api group"),
        ("resources", rule.resources, "resources", "resource"),
    ):
        if not values:
            errors.append(required(f"{path}.{name}", f"resource rules must supply at least one {one}"))
        errors += star_alone(values, what, f"{path}.{name}")
    where, namespaces = f"{path}.namespaces", rule.namespaces
    if not namespaces and not rule.cluster_scope:
        detail = "resource rules that are not cluster scoped must supply at least one namespace"
        errors.append(required(where, detail))
    elif "*" in namespaces:
        errors += star_alone(namespaces, "namespaces", where)
    else:
        for index, namespace in enumerate(namespaces):
            rules = (f"each member of this list must be '*' or a DNS-1123 label; {t}" for t in dns1123_label(namespace))
            errors += [invalid(f"{where}[{index}]", namespace, text) for text in rules]
    return errors


def _validate_urls(rule: NonResourcePolicyRule, path: str) -> list[FieldError]:
    errors = _validate_verbs(rule.verbs, f"{path}.verbs")
    where, urls = f"{path}.nonResourceURLs", rule.non_resource_urls
    if not urls:
        return [*errors, required(where, "nonResourceURLs must contain at least one value")]
    if "*" in urls:
        return errors + star_alone(urls, "non-resource URLs", where)
    return errors + each(urls, _validate_url, where)


def _validate_url(url: str, path: str) -> list[FieldError]:
    detail = ""
    if not url:
        detail = "must not be empty"
    elif not url.startswith("/"):
        detail = "must start with slash"
    elif " " in url:
        detail = "must not contain white-space"
    elif "//" in url:
        detail = "must not contain double slash"
    elif "*" in url and (url.count("*") > 1 or not url.endswith("/*")):
        detail = "wildcard can only do suffix matching"
    return [invalid(path, url, detail)] if detail else []


def validate_priority_level(level: PriorityLevelConfiguration) -> list[FieldError]:
    spec = level.spec
    errors: list[FieldError] = []
    if _KEEPS_ZERO in level.metadata.annotations:
        errors.append(forbidden_field("metadata.annotations", f"annotation '{_KEEPS_ZERO}' is forbidden"))
    if (level.metadata.name == "exempt") != (spec.type == "Exempt"):
        detail = "type must be 'Exempt' if and only if name is 'exempt'"
        errors.append(invalid("spec.type", spec.type, detail))
    if spec.type == "Exempt":
        if spec.limited is not None:
            errors.append(forbidden_field("spec.limited", "must be nil if the type is not Limited"))
        errors += _validate_shares(spec.exempt, "spec.exempt") if spec.exempt is not None else []
    elif spec.type == "Limited":
        if spec.exempt is not None:
            errors.append(forbidden_field("spec.exempt", "must be nil if the type is Limited"))
        if spec.limited is None:
            errors.append(required("spec.limited", "must not be empty when type is Limited"))
        else:
            errors += _validate_limited(spec.limited, "spec.limited")
    else:
        errors.append(not_supported("spec.type", spec.type, _TYPES))
    return errors + _validate_mandatory(level) + validate_flow_schema_status(level, level)


def _validate_mandatory(level: PriorityLevelConfiguration) -> list[FieldError]:
    """Of the levels that every cluster has only the shares of the exempt one can be changed."""
    name, spec = level.metadata.name or "", level.spec
    if name not in MANDATORY or spec == mandatory_spec(PriorityLevelConfiguration, name):
        return []
    if name != "exempt":
        return [invalid("spec", internal_part(spec), f"spec of '{name}' must equal the fixed value")]
    if spec.type == "Exempt" and spec.limited is None:
        return []
    detail = f"spec of '{name}' except the 'spec.exempt' field must equal the fixed value"
    return [invalid("spec", internal_part(spec), detail)]


def _validate_shares(
    shares: ExemptPriorityLevelConfiguration | LimitedPriorityLevelConfiguration, path: str
) -> list[FieldError]:
    errors: list[FieldError] = []
    count, lendable = shares.nominal_concurrency_shares, shares.lendable_percent
    if count is not None and count < 0:
        errors.append(invalid(f"{path}.nominalConcurrencyShares", count, _NOT_NEGATIVE))
    if lendable is not None and not 0 <= lendable <= 100:
        errors.append(invalid(f"{path}.lendablePercent", lendable, "must be between 0 and 100, inclusive"))
    return errors


def _validate_limited(limited: LimitedPriorityLevelConfiguration, path: str) -> list[FieldError]:
    errors = _validate_shares(limited, path)
    errors += _validate_response(limited.limit_response, f"{path}.limitResponse")
    borrowed = limited.borrowing_limit_percent
    if borrowed is not None and borrowed < 0:
        detail = f"if specified, {_NOT_NEGATIVE}"
        errors.append(invalid(f"{path}.borrowingLimitPercent", borrowed, detail))
    return errors


def _validate_response(response: LimitResponse, path: str) -> list[FieldError]:
    if response.type not in _RESPONSES:
        return [not_supported(f"{path}.type", response.type, _RESPONSES)]
    where = f"{path}.queuing"
    if response.type == "Queue":
        if response.queuing is None:
            return [required(where, "must not be empty if limited.limitResponse.type is Limited")]
        return _validate_queues(response.queuing, where)
    if response.queuing is not None:
        return [forbidden_field(where, "must be nil if limited.limitResponse.type is not Limited")]
    return []


def _validate_queues(queuing: QueuingConfiguration, path: str) -> list[FieldError]:
    length, queues, hand = queuing.queue_length_limit or 0, queuing.queues or 0, queuing.hand_size or 0
    errors: list[FieldError] = []
    if length <= 0:
        errors.append(invalid(f"{path}.queueLengthLimit", length, _POSITIVE))
    if queues <= 0:
        errors.append(invalid(f"{path}.queues", queues, _POSITIVE))
    elif queues > _MOST_QUEUES:
        errors.append(invalid(f"{path}.queues", queues, f"must not be greater than {_MOST_QUEUES}"))
    where = f"{path}.handSize"
    if hand <= 0:
        errors.append(invalid(where, hand, _POSITIVE))
    elif hand > queues:
        errors.append(invalid(where, hand, f"should not be greater than queues ({queues})"))
    elif math.ceil(math.log2(queues) * hand) > _HASH_BITS:
        detail = (
            f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {_HASH_BITS}"
        )
        errors.append(invalid(where, hand, detail))
    return errors
