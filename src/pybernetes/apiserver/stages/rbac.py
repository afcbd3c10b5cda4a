"""Role-based access control: what Roles and Bindings grant to a user.

RBAC objects come in from the Reader and become an index from subjects to grants; a user, a verb and a target go in and
the first grant that allows it comes out. Called by `authorization`, `reviews` and `rbac_escalation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pybernetes.api.status import aggregate
from pybernetes.api.types.rbac_v1 import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
)
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import RequestInfo, UserInfo


@dataclass(frozen=True, slots=True)
class Grant:
    """What one binding gives to one subject; `error` says that its role does not exist."""

    reason: str
    rules: Sequence[PolicyRule]
    error: str = ""


@dataclass(slots=True)
class _Subjects:
    """The grants of one namespace, or of the whole cluster, by user name and by group, in the bindings' order."""

    users: dict[str, list[tuple[int, Grant]]] = field(default_factory=dict)
    groups: dict[str, list[tuple[int, Grant]]] = field(default_factory=dict)

    def grants(self, user: UserInfo) -> list[Grant]:
        found = list(self.users.get(user.name, ()))
        for group in user.groups:
            found += self.groups.get(group, ())
        first: dict[int, Grant] = {}
        for position, grant in found:
            first.setdefault(position, grant)
        return [first[position] for position in sorted(first)]


class RbacIndex:
    """All bindings of the cluster, resolved to rules. A value: build a new one when RBAC objects have changed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cluster = _Subjects()
        self._namespaces: dict[str, _Subjects] = {}
        for position, binding in enumerate(_by_name(reader.list(ClusterRoleBinding))):
            label = f'ClusterRoleBinding "{binding.metadata.name}"'
            self._add(self._cluster, position, binding, label)
        for position, role_binding in enumerate(_by_name(reader.list(RoleBinding))):
            namespace = role_binding.metadata.namespace or ""
            label = f'RoleBinding "{role_binding.metadata.name}/{namespace}"'
            self._add(self._namespaces.setdefault(namespace, _Subjects()), position, role_binding, label)

    def _add(self, index: _Subjects, position: int, binding: ClusterRoleBinding | RoleBinding, label: str) -> None:
        namespace, role = binding.metadata.namespace or "", binding.role_ref
        rules = role_rules(self._reader, role, namespace)
        error = "" if rules is not None else f'{role.kind.lower()}.rbac.authorization.k8s.io "{role.name}" not found'
        for subject in binding.subjects:
            reason = f'RBAC: allowed by {label} of {role.kind} "{role.name}" to {_describe(subject, namespace)}'
            grant = Grant(reason, rules or (), error)
            table = index.groups if subject.kind == "Group" else index.users
            table.setdefault(_subject_key(subject, namespace), []).append((position, grant))

    def grants(self, user: UserInfo, namespace: str) -> list[Grant]:
        """What a user is given in a namespace, cluster-wide grants first."""
        found = self._cluster.grants(user)
        if namespace and namespace in self._namespaces:
            found = found + self._namespaces[namespace].grants(user)
        return found


def _by_name(bindings: Iterable[ClusterRoleBinding] | Iterable[RoleBinding]) -> list[ClusterRoleBinding | RoleBinding]:
    return sorted(bindings, key=lambda binding: binding.metadata.name or "")


def role_rules(reader: Reader, role: RoleRef, namespace: str) -> list[PolicyRule] | None:
    """The rules of a role that a binding names; None when there is no such role."""
    if role.kind == "ClusterRole":
        cluster_role = reader.get(ClusterRole, role.name)
        return None if cluster_role is None else cluster_role.rules
    found = reader.get(Role, role.name, namespace)
    return None if found is None else found.rules


def _subject_key(subject: Subject, namespace: str) -> str:
    if subject.kind == "ServiceAccount":
        return f"system:serviceaccount:{subject.namespace or namespace}:{subject.name}"
    return subject.name


def _describe(subject: Subject, namespace: str) -> str:
    if subject.kind == "ServiceAccount":
        return f'ServiceAccount "{subject.name}/{subject.namespace or namespace}"'
    return f'{subject.kind} "{subject.name}"'


def rule_matches(rule: PolicyRule, info: RequestInfo) -> bool:
    """Whether a rule speaks of the request's verb and target; its `resourceNames` are left to the caller."""
    verbs = rule.verbs
    if info.verb not in verbs and "*" not in verbs:
        return False
    if not info.is_resource:
        return any(_covers_path(url, info.path) for url in rule.non_resource_urls)
    if info.group not in rule.api_groups and "*" not in rule.api_groups:
        return False
    if "*" in rule.resources:
        return True
    if not info.subresource:
        return info.resource in rule.resources
    return f"{info.resource}/{info.subresource}" in rule.resources or f"*/{info.subresource}" in rule.resources


def _covers_path(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def rules_allow(rules: Iterable[PolicyRule], info: RequestInfo) -> bool:
    """Whether any of the rules allows the request."""
    return any(
        rule_matches(rule, info) and (not rule.resource_names or info.name in rule.resource_names) for rule in rules
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass, and why; the reason of a refusal is what the message ends with."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The decision on one (user, verb, target) for any object name, and for the names that rules single out."""

    general: Decision
    by_name: dict[str, Decision]


_Key = tuple[str, tuple[str, ...], bool, str, str, str, str, str]
_MOST_REMEMBERED = 20_000


class RbacAuthorizer:
    """Decides by RBAC and remembers its decisions until RBAC objects change.

    The owner calls `invalidate` whenever a Role, ClusterRole or binding was written.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._index: RbacIndex | None = None
        self._verdicts: dict[_Key, _Verdict] = {}

    def invalidate(self) -> None:
        """Forgets everything that was derived from RBAC objects."""
        self._index = None
        self._verdicts.clear()

    def index(self) -> RbacIndex:
        """The current index, built when first needed."""
        if self._index is None:
            self._index = RbacIndex(self._reader)
        return self._index

    def authorize(self, user: UserInfo, info: RequestInfo) -> Decision:
        index = self.index()
        target = info.resource if info.is_resource else info.path
        # Access reviews ask about any text as a path, also about one that reads like a resource.
        key = (
            user.name,
            user.groups,
            info.is_resource,
            info.verb,
            info.group,
            target,
            info.subresource,
            info.namespace,
        )
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = _judge(index.grants(user, info.namespace), info)
            if len(self._verdicts) >= _MOST_REMEMBERED:
                self._verdicts.clear()
            self._verdicts[key] = verdict
        return verdict.by_name.get(info.name, verdict.general)

    def rules(self, user: UserInfo, namespace: str) -> list[PolicyRule]:
        """All rules that a user is given in a namespace."""
        return [rule for grant in self.index().grants(user, namespace) for rule in grant.rules]

    def errors(self, user: UserInfo, namespace: str) -> list[str]:
        """The roles that a user is given in a namespace and that are not there, each in words."""
        return _errors(self.index().grants(user, namespace))


def _errors(grants: Iterable[Grant]) -> list[str]:
    return list(dict.fromkeys(grant.error for grant in grants if grant.error))


def _judge(grants: Sequence[Grant], info: RequestInfo) -> _Verdict:
    by_name: dict[str, Decision] = {}
    for grant in grants:
        for rule in grant.rules:
            if not rule_matches(rule, info):
                continue
            decision = Decision(True, grant.reason)
            if not rule.resource_names:
                return _Verdict(decision, by_name)
            for name in rule.resource_names:
                by_name.setdefault(name, decision)
    errors = _errors(grants)
    reason = f"RBAC: {aggregate(errors)}" if errors else ""
    return _Verdict(Decision(False, reason), by_name)
