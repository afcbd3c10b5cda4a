"""Nobody grants by RBAC what he does not hold himself.

Writes of Roles, ClusterRoles and their bindings come in as admission requests; a grant of rules that the writer does
not hold is refused, unless he holds the verb `escalate` (for roles) or `bind` (for bindings). Runs as the last of the
mutating admission plug-ins, before anything is validated, as upstream's storage of RBAC does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError, failure, forbidden
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import MASTERS, Authorizer
from pybernetes.apiserver.stages.rbac import role_rules

_GROUP = "rbac.authorization.k8s.io"
_EVERYTHING = [
    PolicyRule(verbs=["*"], api_groups=["*"], resources=["*"]),
    PolicyRule(verbs=["*"], non_resource_urls=["*"]),
]


class RbacEscalation(Bystander):
    """The check as an admission plug-in."""

    name = "RBACEscalation"

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, request: AdmissionRequest) -> bool:
        return request.kind.group == _GROUP and request.object is not None and not request.subresource

    async def admit(self, request: AdmissionRequest) -> None:
        obj, old = request.object, request.old_object
        if obj is None or MASTERS in request.user.groups or (old is not None and _only_for_collection(obj, old)):
            return
        if isinstance(obj, Role | ClusterRole):
            self._check_role(request, obj, old if isinstance(old, Role | ClusterRole) else None)
        elif isinstance(obj, RoleBinding | ClusterRoleBinding):
            self._check_binding(request, obj.role_ref)

    def _check_role(self, request: AdmissionRequest, role: Role | ClusterRole, old: Role | ClusterRole | None) -> None:
        # What is created has no name yet, as far as the path of the request says.
        name = "" if request.operation == "CREATE" else request.name
        if self._may(request, "escalate", request.kind.resource, name):
            return
        self._confirm(request, role.rules)
        # It can gather anything, and its change can keep a role from being narrowed.
        if (_gathers(role) or _gathers(old)) and self._missing(request, _EVERYTHING):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise forbidden(request.kind, request.name, why)

    def _check_binding(self, request: AdmissionRequest, ref: RoleRef) -> None:
        resource = "clusterroles" if ref.kind == "ClusterRole" else "roles"
        if self._may(request, "bind", resource, ref.name):
            return
        rules = role_rules(self._authorizer.reader, ref, request.namespace)
        if rules is None:
            raise _no_role(ref, resource)
        self._confirm(request, rules)

    def _may(self, request: AdmissionRequest, verb: str, resource: str, name: str) -> bool:
        info = RequestInfo(
            path="",
            verb=verb,
            is_resource=True,
            group=_GROUP,
            version="*",
            resource=resource,
            namespace=request.namespace,
            name=name,
        )
        return self._authorizer.authorize(request.user, info).allowed

    def _missing(self, request: AdmissionRequest, rules: Iterable[PolicyRule]) -> list[PolicyRule]:
        return missing_rules(self._authorizer.rules(request.user, request.namespace), rules)

    def _confirm(self, request: AdmissionRequest, rules: Iterable[PolicyRule]) -> None:
        missing = self._missing(request, rules)
        if missing:
            raise forbidden(request.kind, request.name, _refusal(request.user, missing))


def _gathers(role: Role | ClusterRole | None) -> bool:
    rule = role.aggregation_rule if isinstance(role, ClusterRole) else None
    return rule is not None and bool(rule.cluster_role_selectors)


def _only_for_collection(new: ApiObject, old: ApiObject) -> bool:
    """Whether a write changes only what the garbage collector has to, so that an object can go."""
    same = copy(new)
    for name in ("owner_references", "finalizers", "managed_fields", "resource_version"):
        setattr(same.metadata, name, getattr(old.metadata, name))
    return same == old


def _no_role(ref: RoleRef, resource: str) -> StatusError:
    message = f'{resource}.{_GROUP} "{ref.name}" not found'
    return failure(404, "NotFound", message, StatusDetails(name=ref.name, group=_GROUP, kind=resource))


def _refusal(user: UserInfo, missing: Sequence[PolicyRule]) -> str:
    listed = "\n".join(sorted(describe(rule) for rule in missing))
    return (
        f'user "{user.name}" (groups={_quoted(user.groups)}) is attempting to grant RBAC permissions '
        f"not currently held:\n{listed}"
    )


def _quoted(texts: Sequence[str]) -> str:
    return "[" + " ".join(f'"{text}"' for text in texts) + "]"


def describe(rule: PolicyRule) -> str:
    """A rule on one line: `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`."""
    parts = (
        ("APIGroups", rule.api_groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.non_resource_urls),
        ("ResourceNames", rule.resource_names),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{label}:{_quoted(values)}" for label, values in parts if values) + "}"


def missing_rules(held: Sequence[PolicyRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """What of the wanted rules the held ones do not cover, with verbs of one resource put together again."""
    missing = [part for rule in wanted for part in _parts(rule) if not any(_covers(own, part) for own in held)]
    return _compact(missing)


def _parts(rule: PolicyRule) -> Iterator[PolicyRule]:
    """A rule as rules of one verb and one target each."""
    for verb in rule.verbs:
        for group in rule.api_groups:
            for resource in rule.resources:
                for name in rule.resource_names or [""]:
                    names = [name] if name else []
                    yield PolicyRule(verbs=[verb], api_groups=[group], resources=[resource], resource_names=names)
        for url in rule.non_resource_urls:
            yield PolicyRule(verbs=[verb], non_resource_urls=[url])


def _covers(own: PolicyRule, part: PolicyRule) -> bool:
    if "*" not in own.verbs and part.verbs[0] not in own.verbs:
        return False
    if part.non_resource_urls:
        wanted = part.non_resource_urls[0]
        return any(_covers_url(url, wanted) for url in own.non_resource_urls)
    if "*" not in own.api_groups and part.api_groups[0] not in own.api_groups:
        return False
    if not _covers_resource(own.resources, part.resources[0]):
        return False
    return not own.resource_names or (bool(part.resource_names) and part.resource_names[0] in own.resource_names)


def _covers_url(held: str, wanted: str) -> bool:
    return held in ("*", wanted) or (held.endswith("*") and wanted.startswith(held.rstrip("*")))


def _covers_resource(held: Sequence[str], wanted: str) -> bool:
    if "*" in held or wanted in held:
        return True
    _resource, slash, subresource = wanted.partition("/")
    return bool(slash) and f"*/{subresource}" in held


def _compact(rules: Iterable[PolicyRule]) -> list[PolicyRule]:
    """Rules about resources that differ only in the verb become one; those about paths stay as they are."""
    found: dict[tuple[str, ...], PolicyRule] = {}
    paths: list[PolicyRule] = []
    for rule in rules:
        if rule.non_resource_urls:
            paths.append(rule)
            continue
        key = (*rule.api_groups, "", *rule.resources, "", *rule.resource_names)
        known = found.setdefault(
            key, PolicyRule(api_groups=rule.api_groups, resources=rule.resources, resource_names=rule.resource_names)
        )
        if rule.verbs[0] not in known.verbs:
            known.verbs = [*known.verbs, rule.verbs[0]]
    return [*found.values(), *paths]
