"""Which requests a policy or a binding is about: by resource, namespace and labels. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pybernetes.api.kind import Kind
from pybernetes.api.labels import from_label_selector
from pybernetes.api.types.admissionregistration_v1 import MatchResources, NamedRuleWithOperations
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.conversion import kinds_stored_as

Labels = Mapping[str, str]
# What no policy can be about, so that none locks everybody out of mending it, or is asked while it is decided who may.
_EXEMPT = frozenset(
    {
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("authentication.k8s.io", "tokenreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
        ("authorization.k8s.io", "localsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
    }
)


def is_exempt(request: AdmissionRequest) -> bool:
    return (request.kind.group, request.kind.resource) in _EXEMPT


def matched_kind(match: MatchResources | None, request: AdmissionRequest, namespace: Labels | None) -> Kind | None:
    """As which of its kinds a request's resource is meant, None if it is not.

    That is the kind that the request names, or else one that is the same thing in another version or group, unless the
    policy wants exactly what it names. `namespace` holds the labels of the request's namespace; None without one.
    """
    asked = request.requested or request.kind
    if match is None:
        return asked
    if not _selects_namespace(match, request, namespace) or not _selects_object(match, request):
        return None
    is_exact = match.match_policy in (None, "Exact")
    if _first_kind(match.exclude_resource_rules, request, asked, is_exact) is not None:
        return None
    return _first_kind(match.resource_rules, request, asked, is_exact) if match.resource_rules else asked


def _first_kind(
    rules: Iterable[NamedRuleWithOperations], request: AdmissionRequest, asked: Kind, is_exact: bool
) -> Kind | None:
    rules = [rule for rule in rules if _may_match(rule, request)]
    if any(_names_kind(rule, asked, request) for rule in rules):
        return asked
    if is_exact or not rules:
        return None
    others = [kind for kind in kinds_stored_as(request.kind) if kind is not asked]
    return next((kind for rule in rules for kind in others if _names_kind(rule, kind, request)), None)


def names_objects(match: MatchResources | None) -> bool:
    """Whether it may mean one object and not another that differs from it in nothing but the name."""
    return match is not None and any(
        rule.resource_names for rule in (*match.resource_rules, *match.exclude_resource_rules)
    )


def _selects_namespace(match: MatchResources, request: AdmissionRequest, namespace: Labels | None) -> bool:
    selector = from_label_selector(match.namespace_selector) if match.namespace_selector is not None else None
    if selector is None or selector.is_empty:
        return True
    if (request.kind.group, request.kind.resource) == ("", "namespaces"):
        obj = request.object if request.operation != "DELETE" and not request.subresource else request.old_object
        return selector.matches(obj.metadata.labels if obj is not None else {})
    # What is in no namespace is in none that could be left out.
    return namespace is None or selector.matches(namespace)


def _selects_object(match: MatchResources, request: AdmissionRequest) -> bool:
    selector = from_label_selector(match.object_selector) if match.object_selector is not None else None
    if selector is None or selector.is_empty:
        return True
    # The options of a stream have no metadata, and are not selected whatever the selector says.
    every = (obj.metadata for obj in (request.object, request.old_object) if obj is not None)
    return any(selector.matches(metadata.labels) for metadata in every if metadata is not None)


def _may_match(rule: NamedRuleWithOperations, request: AdmissionRequest) -> bool:
    """Whether a rule is about the request but for the resource that it names."""
    if rule.resource_names and request.name not in rule.resource_names:
        return False
    if not _has(rule.operations, request.operation):
        return False
    scope = "Namespaced" if request.namespace and request.kind.namespaced else "Cluster"
    return rule.scope in (None, "", "*", scope)


def _names_kind(rule: NamedRuleWithOperations, kind: Kind, request: AdmissionRequest) -> bool:
    if not _has(rule.api_groups, kind.group) or not _has(rule.api_versions, kind.version):
        return False
    return any(_names(pattern, kind.resource, request.subresource) for pattern in rule.resources)


def _has(values: list[str], wanted: str) -> bool:
    return "*" in values or wanted in values


def _names(pattern: str, resource: str, subresource: str) -> bool:
    """Whether `pods`, `pods/*`, `*/status` or `*` means a resource, or a sub-resource of it."""
    wanted, _, part = pattern.partition("/")
    if wanted not in ("*", resource):
        return False
    return part == subresource or part == "*"
