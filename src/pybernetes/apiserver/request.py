"""The frozen values that the stages of the pipeline hand to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pybernetes.api.kind import Kind, Subresource
from pybernetes.api.wire import Request


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who asks. `extra` maps lower-case keys to values, as impersonation and tokens bring them."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


# The API server, where it writes on its own.
ITSELF = UserInfo("system:apiserver", groups=("system:masters",))
ANONYMOUS = UserInfo("system:anonymous", groups=("system:unauthenticated",))


# What is relayed to kubelets and backends.
RELAYED = frozenset({"attach", "exec", "log", "portforward", "proxy"})


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request asks for, read from its method, path and query alone.

    A request below `/api` or `/apis/<group>` that names a resource is a resource request: `kind` is then the row of the
    resource (None when the group-version has no such resource) and `verb` one of get, list, watch, create, update,
    patch, delete, deletecollection, connect. Otherwise `kind` is None and `verb` the method in lower case.
    """

    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    # What follows `/proxy/` of pods, services and nodes.
    tail: str = ""
    kind: Kind | None = None
    child: Subresource | None = None

    @property
    def is_long_running(self) -> bool:
        """Whether the answer may take as long as it likes."""
        return self.verb == "watch" or self.subresource in RELAYED


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A request whose sender is known; `user` is the impersonated one where the sender may impersonate."""

    request: Request
    info: RequestInfo
    user: UserInfo
