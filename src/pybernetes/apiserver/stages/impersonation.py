"""Impersonation: a user who may do so acts as another one for a single request.

The authenticated user and the request's `impersonate-*` headers come in; the user to go on with comes out. Each part
of the new identity needs the verb `impersonate` on it; or, with less power, `impersonate:<mode>` on it and
`impersonate-on:<mode>:<verb>` on what the request is about. Called by the pipeline before authorization.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from pybernetes.api.status import bad_request
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import MASTERS, Authorizer, forbidden_request
from pybernetes.apiserver.stages.service_account_tokens import service_account_user

_EXTRA = "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"
_ACCOUNT = "system:serviceaccount:"
_NODES = "system:nodes"


def impersonate(user: UserInfo, headers: Mapping[str, str], target: RequestInfo, authorizer: Authorizer) -> UserInfo:
    """The user to act as: `user` itself when no header asks for another; StatusError 400 or 403 otherwise.

    `target` is what the request itself is about.
    """
    wanted = requested_user(headers)
    if wanted is None:
        return user
    if all(authorizer.authorize(user, info).allowed for info in _permissions(wanted)):
        return _completed(wanted)
    mode = _mode(wanted)
    if not mode:
        # No weaker right would do, so that the refusal speaks of the whole one.
        for info in _permissions(wanted):
            authorizer.require(user, info)
    # The refusal speaks of the weaker right, which upstream looks for first.
    authorizer.require(user, replace(target, verb=f"impersonate-on:{mode}:{target.verb}"))
    for info in _permissions(wanted):
        constrained = _constrained(info, mode)
        if info.resource == "groups" and info.name == MASTERS:
            raise forbidden_request(user, constrained, "impersonating the system:masters group is not allowed")
        authorizer.require(user, constrained)
    if mode == "arbitrary-node":
        wanted = replace(wanted, groups=(_NODES,))
    return _completed(wanted)


def _mode(wanted: UserInfo) -> str:
    """How the weaker rights are called; empty where there are none: accounts and nodes bring groups of their own."""
    is_account = wanted.name.startswith(_ACCOUNT)
    is_node = wanted.name.startswith("system:node:")
    if not is_account and not is_node:
        return "user-info"
    if wanted.uid or wanted.groups or wanted.extra:
        return ""
    return "serviceaccount" if is_account else "arbitrary-node"


def _constrained(info: RequestInfo, mode: str) -> RequestInfo:
    """The permission in its weaker form, all of whose resources are of one group."""
    node = info.resource == "users" and mode == "arbitrary-node"
    name = info.name.removeprefix("system:node:") if node else info.name
    resource = "nodes" if node else info.resource
    return replace(info, verb=f"impersonate:{mode}", group=_AUTHENTICATION, resource=resource, name=name)


def requested_user(headers: Mapping[str, str]) -> UserInfo | None:
    """The identity that the headers ask for, as they spell it; values of repeated headers are joined by commas."""
    name = headers.get("impersonate-user", "")
    uid = headers.get("impersonate-uid", "")
    groups = _values(given) if (given := headers.get("impersonate-group")) else ()
    extra = {
        unquote(header.removeprefix(_EXTRA)).lower(): _values(value)
        for header, value in headers.items()
        if header.startswith(_EXTRA)
    }
    if not name and not uid and not groups and not extra:
        return None
    if not name:
        raise bad_request(f"requested {_go_syntax(uid, groups, extra)} without impersonating a user name")
    return UserInfo(name, uid, groups, extra)


def _values(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _go_syntax(uid: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]]) -> str:
    """The unfinished identity as Go prints it, which is what clients of the original see."""
    shown = _go_strings(groups) if groups else "[]string(nil)"
    entries = ", ".join(f'"{key}":{_go_strings(values)}' for key, values in sorted(extra.items()))
    more = f"map[string][]string{{{entries}}}" if extra else "map[string][]string(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:"{uid}", Groups:{shown}, Extra:{more}}}'


def _go_strings(texts: tuple[str, ...]) -> str:
    return "[]string{" + ", ".join(f'"{text}"' for text in texts) + "}"


def _permissions(wanted: UserInfo) -> Iterator[RequestInfo]:
    account = wanted.name.removeprefix(_ACCOUNT).split(":")
    if wanted.name.startswith(_ACCOUNT) and len(account) == 2:
        yield _permission("", "serviceaccounts", account[1], namespace=account[0])
    else:
        yield _permission("", "users", wanted.name)
    for group in wanted.groups:
        yield _permission("", "groups", group)
    for key, values in wanted.extra.items():
        for value in values:
            yield _permission(_AUTHENTICATION, "userextras", value, subresource=key)
    if wanted.uid:
        yield _permission(_AUTHENTICATION, "uids", wanted.uid)


def _permission(group: str, resource: str, name: str, namespace: str = "", subresource: str = "") -> RequestInfo:
    return RequestInfo(
        path="",
        verb="impersonate",
        is_resource=True,
        group=group,
        version="v1",
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )


def _completed(wanted: UserInfo) -> UserInfo:
    """A service account brings its groups, and everybody is either authenticated or not."""
    groups = wanted.groups
    account = wanted.name.removeprefix(_ACCOUNT).split(":")
    if not groups and wanted.name.startswith(_ACCOUNT) and len(account) == 2:
        groups = service_account_user(account[0], account[1]).groups
    if wanted.name == "system:anonymous":
        standing = "system:unauthenticated"
    elif "system:unauthenticated" in groups:
        return UserInfo(wanted.name, wanted.uid, groups, wanted.extra)
    else:
        standing = "system:authenticated"
    if standing not in groups:
        groups = (*groups, standing)
    return UserInfo(wanted.name, wanted.uid, groups, wanted.extra)
