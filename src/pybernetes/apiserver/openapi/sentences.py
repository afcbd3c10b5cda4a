"""What operations and parameters are for, in a sentence each: what people and generated clients read.

A `Path` with one of its operations, or the name of a parameter, comes in; text comes out, empty for what has none.
Called by `version2` and `version3`.
"""

from __future__ import annotations

from pybernetes.apiserver.openapi.operations import STREAMS, Operation, Path

_VERBS = {"get": "read", "put": "replace", "patch": "partially update"}
_WATCHES = {
    "watchlist": "watch objects of kind {}. deprecated: list them with the parameter 'watch'",
    "watch": "watch one object of kind {}. deprecated: list it by a 'fieldSelector' with the parameter 'watch'",
}
_SERVICE = {
    "Resources": "get available resources",
    "APIGroup": "get information of a group",
    "APIVersions": "get available API versions",
    "CodeVersion": "get the version information for this server",
    "OpenIDConfiguration": "get what OpenID clients must know of the issuer of service account tokens",
    "OpenIDKeyset": "get the public keys that service account tokens are verified with",
}
_PARAMETERS = {
    "allowWatchBookmarks": "Asks a watch for events of type BOOKMARK, which tell at times how far it has come.",
    "command": "The command and its arguments. No shell is between.",
    "container": "The container in the pod. Needs no naming where there is only one.",
    "continue": "The mark of the next page, out of the metadata of the page before.",
    "dryRun": "With the value All everything is done but storing the result.",
    "fieldManager": "Who makes this change: a name of at most 128 printable characters.",
    "fieldSelector": "Restricts the list of returned objects by their fields. Without it all are returned.",
    "fieldValidation": "What becomes of unknown and duplicate fields: Ignore drops, Warn also warns, Strict refuses.",
    "follow": "Goes on with the log while it is written.",
    "force": "Takes over fields that others own when a configuration is applied; not for other patches.",
    "gracePeriodSeconds": "How long the object may take to end; zero removes it at once.",
    "ignoreStoreReadErrorWithClusterBreakingPotential": "Removes an object that cannot be read, without what belongs"
    " to a deletion. This can break a cluster.",
    "insecureSkipTLSVerifyBackend": "Does not verify the certificate of the node that the log comes from.",
    "labelSelector": "Restricts the list of returned objects by their labels. Without it all are returned.",
    "limit": "How many objects a page has at most. Where there are more, `continue` of its metadata leads to them.",
    "limitBytes": "How many bytes of the log are returned at most.",
    "namespace": "object name and auth scope, such as for teams and projects",
    "orphanDependents": "Deprecated, use propagationPolicy: whether dependents stay.",
    "path": "The path of the URL that is asked for behind the proxy.",
    "ports": "The ports to forward, for WebSockets.",
    "pretty": "Whether the answer is indented. Without it browsers and command-line tools get it so.",
    "previous": "Returns the log of the container that has ended before the present one.",
    "propagationPolicy": "What becomes of dependents: Orphan, Background or Foreground.",
    "resourceVersion": "How old or new the answer may be; its meaning depends on resourceVersionMatch.",
    "resourceVersionMatch": "How resourceVersion is meant in a list: Exact or NotOlderThan.",
    "sendInitialEvents": "Begins a watch with the objects that there are, and ends them with a marked bookmark.",
    "shardSelector": "Restricts the list of returned objects to ranges of hashes.",
    "sinceSeconds": "How many seconds ago the returned log begins.",
    "stderr": "Whether the standard error stream is attached.",
    "stdin": "Whether the standard input stream is attached.",
    "stdout": "Whether the standard output stream is attached.",
    "stream": "Which stream of the log is returned: All, Stdout or Stderr.",
    "tailLines": "How many lines from the end of the log are returned.",
    "timeoutSeconds": "How long a list or a watch may take.",
    "timestamps": "Puts the time before each line of the log.",
    "tty": "Whether the streams are those of a terminal.",
    "watch": "Watch for changes to the described resources instead of listing them: events come as they happen.",
    "{path}": "path to the resource",
}


def of_parameter(name: str, kind: str) -> str:
    """What a parameter is for; `kind` is what a path with a name is about."""
    return f"name of the {kind}" if name == "name" else _PARAMETERS.get(name, "")


def of_operation(path: Path, operation: Operation) -> str:
    """What an operation does, as upstream puts it where its words follow a rule."""
    kind, action = path.kind, operation.action
    if not kind:
        return next((text for end, text in _SERVICE.items() if operation.name.endswith(end)), "")
    part = path.path.partition("{name}/")[2].partition("/")[0]
    article = _article(kind)
    if action in _VERBS:
        return f"{_VERBS[action]} {part + ' of ' if part else ''}the specified {kind}"
    if action == "connect":
        return f"connect {operation.method.upper()} requests to {part} of {kind}"
    if action == "post":
        return f"create {part} of {article}{kind}" if part else f"create {article}{kind}"
    if action == "delete":
        return f"delete {article}{kind}"
    if action == "deletecollection":
        return f"delete collection of {kind}"
    if action == "list":
        return f"list {'or watch ' if operation.produces == STREAMS else ''}objects of kind {kind}"
    return _WATCHES.get(action, "").format(kind)


def _article(kind: str) -> str:
    if kind.endswith("s") and not kind.endswith("ss"):
        return ""
    return "an " if kind[0] in "AEIOU" else "a "
