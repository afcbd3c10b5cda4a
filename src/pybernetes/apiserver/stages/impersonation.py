"""Impersonation: a user who may do so acts as another one for a single request.

The authenticated user and the request's `impersonate-*` headers come in; the user to go on with comes out. With the
least power that does, a mode for each sort of user: `impersonate:<mode>` on each part of the new identity, and
`impersonate-on:<mode>:<verb>` on what the request is about; or the whole right, the verb `impersonate` on each part.
Called by the pipeline before authorization.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.status import StatusError, bad_request
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.resources.validation.domain_path import validate_domain_path
from pybernetes.apiserver.stages.authorization import MASTERS, Authorizer, forbidden_request
from pybernetes.apiserver.stages.token_holders import service_account_user

_EXTRA = "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"
_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"
_NODES = "system:nodes"
OWN_NODE = "authentication.kubernetes.io/node-name"
_WHOLE = ""
# Of so many parts of one sort the right to all is tried first.
_MANY = 4


def impersonate(user: UserInfo, headers: Mapping[str, str], target: RequestInfo, authorizer: Authorizer) -> UserInfo:
    """The user to act as: `user` itself when no header asks for another; StatusError 400 or 403 otherwise.

    `target` is what the request itself is about.
    """
    wanted = requested_user(headers)
    if wanted is None:
        return user
    refusal: StatusError | None = None
    for mode in _modes(user, wanted):
        try:
            if mode != _WHOLE:
                authorizer.require(user, replace(target, verb=f"impersonate-on:{mode}:{target.verb}"))
            _require(user, wanted, mode, authorizer)
        except StatusError as error:
            # The refusal speaks of the least power.
            refusal = refusal or error
        else:
            return _completed(wanted, mode)
    assert refusal is not None
    raise refusal


def _modes(user: UserInfo, wanted: UserInfo) -> Iterator[str]:
    """The ways to become another user, from that of the least power on: accounts and nodes bring their own groups."""
    node, account = _node_of(wanted), account_of(wanted)
    if not node and account is None:
        yield "user-info"
    elif not (wanted.uid or wanted.groups or wanted.extra):
        if node and account_of(user) is not None and user.extra.get(OWN_NODE) == (node,):
            yield "associated-node"
        yield "arbitrary-node" if node else "serviceaccount"
    yield _WHOLE


def _node_of(user: UserInfo) -> str:
    """The name of the node that a user is; empty for others."""
    name = user.name.removeprefix(_NODE)
    return name if name != user.name and not dns1123_subdomain(name) else ""


def account_of(user: UserInfo) -> tuple[str, str] | None:
    """Namespace and name of the service account that a user is."""
    namespace, colon, name = user.name.removeprefix(_ACCOUNT).partition(":")
    if not user.name.startswith(_ACCOUNT) or not colon or dns1123_label(namespace) or dns1123_subdomain(name):
        return None
    return namespace, name


def requested_user(headers: Mapping[str, str]) -> UserInfo | None:
    """The identity that the headers ask for, as they spell it; of a name and a uid the first counts."""
    name, uid = (headers.get(header, "").partition("\n")[0] for header in ("impersonate-user", "impersonate-uid"))
    groups = _values(given) if (given := headers.get("impersonate-group")) else ()
    extra = {
        unquote(header.removeprefix(_EXTRA)): _values(value)
        for header, value in headers.items()
        if header.startswith(_EXTRA)
    }
    if not name and not uid and not groups and not extra:
        return None
    if not name:
        raise bad_request(f"requested {_go_syntax(uid, groups, extra)} without impersonating a user name")
    return UserInfo(name, uid, groups, extra)


def _values(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\n") if part.strip())


def _go_syntax(uid: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]]) -> str:
    """The unfinished identity as Go prints it, which is what clients of the original see."""
    shown = _go_strings(groups) if groups else "[]string(nil)"
    entries = ", ".join(f'"{key}":{_go_strings(values)}' for key, values in sorted(extra.items()))
    more = f"map[string][]string{{{entries}}}" if extra else "map[string][]string(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:"{uid}", Groups:{shown}, Extra:{more}}}'


def _go_strings(texts: tuple[str, ...]) -> str:
    return "[]string{" + ", ".join(f'"{text}"' for text in texts) + "}"


def _require(user: UserInfo, wanted: UserInfo, mode: str, authorizer: Authorizer) -> None:
    """Raises StatusError 403 unless a user may be each part of another one."""
    authorizer.require(user, _name_permission(wanted, mode))
    if wanted.uid:
        authorizer.require(user, _permission(mode, _AUTHENTICATION, "uids", wanted.uid))
    group = "" if mode == _WHOLE else _AUTHENTICATION
    groups = [_permission(mode, group, "groups", name) for name in wanted.groups]
    extra = [
        _permission(mode, _AUTHENTICATION, "userextras", value, subresource=key)
        for key, values in wanted.extra.items()
        for value in values
    ]
    if mode != _WHOLE:
        _check_parts(user, wanted, mode)
    for each in (groups, extra):
        if mode != _WHOLE and len(each) >= _MANY:
            every = replace(each[0], name="*", subresource="*" if each[0].subresource else "")
            if authorizer.authorize(user, every).allowed:
                continue
        for info in each:
            authorizer.require(user, info)


def _check_parts(user: UserInfo, wanted: UserInfo, mode: str) -> None:
    """What the weaker rights give to nobody."""
    if MASTERS in wanted.groups:
        masters = _permission(mode, _AUTHENTICATION, "groups", MASTERS)
        raise forbidden_request(user, masters, "impersonating the system:masters group is not allowed")
    for key, values in wanted.extra.items():
        why = ""
        if not key:
            why = "impersonating the empty string key in extra is not allowed"
        elif errors := validate_domain_path(key, "extra.key"):
            why = f"impersonating an invalid key in extra is not allowed: {errors[0]}"
        elif key != key.lower():
            why = f'impersonating a non-lowercase key in extra is not allowed: "{key}"'
        elif not values:
            why = "impersonating the empty string value in extra is not allowed"
        if why:
            raise forbidden_request(user, _permission(mode, _AUTHENTICATION, "userextras", ""), why)


def _name_permission(wanted: UserInfo, mode: str) -> RequestInfo:
    group = "" if mode == _WHOLE else _AUTHENTICATION
    if account := account_of(wanted):
        return _permission(mode, group, "serviceaccounts", account[1], namespace=account[0])
    if mode.endswith("-node"):
        # To be the node that one runs on is the same right on all nodes.
        name = "*" if mode == "associated-node" else _node_of(wanted)
        return _permission(mode, group, "nodes", name)
    return _permission(mode, group, "users", wanted.name)


def _permission(  # noqa: PLR0913 - the parts of a target
    mode: str, group: str, resource: str, name: str, namespace: str = "", subresource: str = ""
) -> RequestInfo:
    return RequestInfo(
        path="",
        verb=f"impersonate:{mode}" if mode != _WHOLE else "impersonate",
        is_resource=True,
        group=group,
        version="v1",
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )


def _completed(wanted: UserInfo, mode: str) -> UserInfo:
    """Accounts and nodes bring their groups, and everybody is either authenticated or not."""
    groups, account = wanted.groups, account_of(wanted)
    if account is not None and not groups:
        groups = service_account_user(*account).groups
    if mode.endswith("-node"):
        groups = (_NODES,)
    if wanted.name == "system:anonymous":
        standing = "system:unauthenticated"
    elif "system:unauthenticated" in groups:
        return replace(wanted, groups=groups)
    else:
        standing = "system:authenticated"
    return replace(wanted, groups=groups if standing in groups else (*groups, standing))
