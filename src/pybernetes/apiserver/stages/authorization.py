"""Who may: the authorization modes in their order, and the error that says no.

A user and a RequestInfo come in from the pipeline; a Decision goes out, or with `require` an error 403 in Kubernetes'
words. The first mode that allows wins; the group `system:masters` may always do everything.
"""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.types.rbac_v1 import PolicyRule
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.node_authorizer import NodeAuthorizer, node_name_of
from pybernetes.apiserver.stages.rbac import Decision, RbacAuthorizer

__all__ = ["Authorizer", "Decision", "forbidden_request"]
MASTERS = "system:masters"
MODES = ("AlwaysAllow", "AlwaysDeny", "Node", "RBAC")
NO_NODE_RULES = "node authorizer does not support user rule resolution"
_ALLOWED = Decision(True)


class Authorizer:
    """Asks the modes in order. Call `invalidate` whenever an RBAC object is written."""

    def __init__(
        self,
        reader: Reader,
        modes: Sequence[str] = ("Node", "RBAC"),
        node_rules: Sequence[PolicyRule] = (),
    ) -> None:
        unknown = [mode for mode in modes if mode not in MODES]
        if unknown:
            raise ValueError(f"unknown authorization mode {unknown[0]!r}; known are {', '.join(MODES)}")
        self.reader = reader
        self.rbac = RbacAuthorizer(reader)
        self._modes = tuple(modes)
        self._nodes = NodeAuthorizer(reader, node_rules)

    def invalidate(self) -> None:
        """To be called when a Role, ClusterRole, RoleBinding or ClusterRoleBinding has changed."""
        self.rbac.invalidate()

    def authorize(self, user: UserInfo, info: RequestInfo, field_selector: str | None = None) -> Decision:
        """Whether the request may pass. `field_selector` matters for kubelets only; None means that it is not known."""
        if MASTERS in user.groups:
            return _ALLOWED
        reasons: list[str] = []
        for mode in self._modes:
            decision = self._ask(mode, user, info, field_selector)
            if decision.allowed:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(False, "\n".join(reasons))

    def _ask(self, mode: str, user: UserInfo, info: RequestInfo, field_selector: str | None) -> Decision:
        if mode == "RBAC":
            return self.rbac.authorize(user, info)
        if mode == "Node":
            return self._nodes.authorize(user, info, field_selector)
        if mode == "AlwaysAllow":
            return _ALLOWED
        return Decision(False, "Everything is forbidden.")

    def require(self, user: UserInfo, info: RequestInfo, field_selector: str | None = None) -> None:
        """Raises StatusError 403 unless the request may pass."""
        decision = self.authorize(user, info, field_selector)
        if not decision.allowed:
            raise forbidden_request(user, info, decision.reason)

    def rules(self, user: UserInfo, namespace: str) -> list[PolicyRule]:
        """The rules that hold for a user in a namespace, for SelfSubjectRulesReview."""
        everything = [
            PolicyRule(api_groups=["*"], resources=["*"], verbs=["*"]),
            PolicyRule(non_resource_urls=["*"], verbs=["*"]),
        ]
        rules = everything if "AlwaysAllow" in self._modes else []
        return rules + (self.rbac.rules(user, namespace) if "RBAC" in self._modes else [])

    def unresolved(self, user: UserInfo, namespace: str) -> list[str]:
        """What keeps `rules` from being all: roles that are not there, and a mode that knows no rules of users."""
        found = [NO_NODE_RULES] if "Node" in self._modes and node_name_of(user) else []
        return found + (self.rbac.errors(user, namespace) if "RBAC" in self._modes else [])


def forbidden_request(user: UserInfo, info: RequestInfo, reason: str = "") -> StatusError:
    """403 as Kubernetes words it: `pods is forbidden: User "a" cannot list resource "pods" in API group "" ...`."""
    end = f": {reason}" if reason else ""
    if not info.is_resource:
        message = f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"{end}'
        return failure(403, "Forbidden", message, StatusDetails())
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    scope = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    subject = f"{info.resource}.{info.group}" if info.group else info.resource
    if info.name:
        subject += f' "{info.name}"'
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {info.verb} resource "{resource}" '
        f'in API group "{info.group}" {scope}{end}'
    )
    details = StatusDetails(name=info.name or None, group=info.group or None, kind=info.resource or None)
    return failure(403, "Forbidden", message, details)
