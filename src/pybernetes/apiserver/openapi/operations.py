"""What can be done at which path, as values: read off the rows of kinds, written out by `version2` and `version3`.

A row goes in; `Path`s with their `Operation`s come out. Pure; names of operations and parameters are upstream's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from pybernetes.api import schema
from pybernetes.api.kind import Kind, Subresource

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
OBJECTS = (JSON, YAML, PROTOBUF)
STREAMS = (*OBJECTS, f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
ANY = ("*/*",)
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
STATUS, DELETE_OPTIONS, PATCH, WATCH_EVENT = (
    _META + name for name in ("Status", "DeleteOptions", "Patch", "WatchEvent")
)
WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
DELETE_PARAMETERS = (
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
)
SELECT_PARAMETERS = (
    *("continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch"),
    *("sendInitialEvents", "shardSelector", "timeoutSeconds"),
)
LIST_PARAMETERS = (*SELECT_PARAMETERS, "allowWatchBookmarks", "watch")
_LOG = (
    *("container", "follow", "insecureSkipTLSVerifyBackend", "limitBytes", "previous"),
    *("sinceSeconds", "stream", "tailLines", "timestamps"),
)
_STREAMING = ("container", "stderr", "stdin", "stdout", "tty")
_CONNECT = {"attach": _STREAMING, "exec": ("command", *_STREAMING), "portforward": ("ports",), "proxy": ("path",)}
_METHODS = {"create": "post", "update": "put"}
_PROXY_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
# Kinds whose deletion answers with the object instead of a Status.
_ANSWERS_WITH_OBJECT = frozenset(
    (
        *("csidrivers", "csinodes", "deviceclasses", "persistentvolumeclaims", "persistentvolumes"),
        *("pods", "podtemplates", "resourceclaims", "resourceclaimtemplates", "resourcequotas"),
        *("resourceslices", "serviceaccounts", "services", "storageclasses", "volumeattachments"),
        *("volumeattributesclasses",),
    )
)


@dataclass(frozen=True)
class Operation:
    """One method at one path. `body` and `result` are names of definitions; an empty result is plain text."""

    method: str
    name: str
    action: str
    gvk: tuple[str, str, str] | None
    result: str
    body: str = ""
    body_required: bool = True
    consumes: tuple[str, ...] = ANY
    produces: tuple[str, ...] = OBJECTS
    codes: tuple[int, ...] = (200,)
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Path:
    """A path, its operations and the tag that they are listed under."""

    path: str
    tag: str
    operations: tuple[Operation, ...]
    # Parameters of all operations: those in the path itself, and `pretty` where the answer is JSON.
    parameters: tuple[str, ...] = field(default=())
    # The kind that the operations are about, also where they are about a part of it.
    kind: str = ""

    @property
    def shared(self) -> tuple[str, ...]:
        """The parameters that all operations take."""
        common = set.intersection(*(set(operation.parameters) for operation in self.operations))
        return tuple(sorted({*common, *self.parameters}))


def group_word(group: str) -> str:
    """A group as operations are named after it: `Core`, `Apps`, `RbacAuthorization`."""
    return "".join(part.capitalize() for part in group.removesuffix(".k8s.io").split(".")) if group else "Core"


def tag_of(group: str, version: str = "") -> str:
    """`core_v1`, `rbacAuthorization_v1`, or the group's tag alone."""
    word = group_word(group)
    tag = word[0].lower() + word[1:]
    return f"{tag}_{version}" if version else tag


@cache
def _definitions_by_kind() -> dict[tuple[str, str, str], str]:
    return {
        (gvk["group"], gvk["version"], gvk["kind"]): name
        for name, raw in schema.definitions().items()
        for gvk in raw.get("x-kubernetes-group-version-kind", ())
    }


def version_paths(kinds: Iterable[Kind]) -> list[Path]:
    """All paths of the resources of one group-version, without those of discovery."""
    return [path for kind in kinds for path in _kind_paths(kind)]


def _kind_paths(kind: Kind) -> Iterator[Path]:
    names = _Names(kind)
    space = "/namespaces/{namespace}" if kind.namespaced else ""
    collection = f"{kind.path_prefix}{space}/{kind.resource}"
    watched = f"{kind.path_prefix}/watch{space}/{kind.resource}"
    inside = ("namespace",) if kind.namespaced else ()
    if kind.namespaced and "list" in kind.verbs:
        everywhere = f"{kind.path_prefix}/{kind.resource}"
        yield names.path(everywhere, [names.listing(everywhere=True)])
        yield names.path(f"{kind.path_prefix}/watch/{kind.resource}", [names.watch_list(everywhere=True)])
    if operations := names.collection():
        yield names.path(collection, operations, inside)
    if operations := names.object():
        yield names.path(collection + "/{name}", operations, (*inside, "name"))
    if "watch" in kind.verbs:
        yield names.path(watched, [names.watch_list()], inside)
        yield names.path(watched + "/{name}", [names.watch()], (*inside, "name"))
    for child in kind.subresources:
        yield from names.child_paths(collection + "/{name}", child, (*inside, "name"))


class _Names:
    """The operations of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._gvk = (kind.group, kind.version, kind.name)
        self._prefix = group_word(kind.group) + kind.version.capitalize()
        self._word = ("Namespaced" if kind.namespaced else "") + kind.name
        self._definition = _definitions_by_kind()[self._gvk]

    def path(self, path: str, operations: list[Operation], inside: tuple[str, ...] = ()) -> Path:
        tag = tag_of(self._kind.group, self._kind.version)
        return Path(path, tag, tuple(operations), (*inside, "pretty"), self._kind.name)

    def listing(self, everywhere: bool = False) -> Operation:
        word = f"{self._kind.name}ForAllNamespaces" if everywhere else self._word
        name = f"list{self._prefix}{word}"
        return Operation(
            "get", name, "list", self._gvk, self._definition + "List", produces=STREAMS, parameters=LIST_PARAMETERS
        )

    def watch_list(self, everywhere: bool = False) -> Operation:
        word = f"{self._kind.name}ListForAllNamespaces" if everywhere else f"{self._word}List"
        return self._watch(f"watch{self._prefix}{word}", "watchlist")

    def watch(self) -> Operation:
        return self._watch(f"watch{self._prefix}{self._word}", "watch")

    def _watch(self, name: str, action: str) -> Operation:
        return Operation("get", name, action, self._gvk, WATCH_EVENT, produces=STREAMS, parameters=LIST_PARAMETERS)

    def collection(self) -> list[Operation]:
        """What can be done to all objects in a namespace, or to all of the cluster."""
        verbs, found = self._kind.verbs, []
        if "list" in verbs:
            found.append(self.listing())
        if "create" in verbs:
            found.append(self._create(self._word, self._definition, self._gvk))
        if "deletecollection" in verbs:
            name = f"delete{self._prefix}Collection{self._word}"
            found.append(
                self._delete(name, "deletecollection", STATUS, (200,), (*DELETE_PARAMETERS, *SELECT_PARAMETERS))
            )
        return found

    def object(self) -> list[Operation]:
        """What can be done to one object."""
        verbs = self._kind.verbs
        found = self._parts(self._word, self._definition, self._gvk, verbs)
        if "delete" in verbs:
            result = self._definition if self._kind.resource in _ANSWERS_WITH_OBJECT else STATUS
            name = f"delete{self._prefix}{self._word}"
            found.append(self._delete(name, "delete", result, (200, 202), DELETE_PARAMETERS))
        return found

    def _delete(
        self, name: str, action: str, result: str, codes: tuple[int, ...], parameters: tuple[str, ...]
    ) -> Operation:
        return Operation(
            "delete",
            name,
            action,
            self._gvk,
            result,
            body=DELETE_OPTIONS,
            body_required=False,
            codes=codes,
            parameters=parameters,
        )

    def _create(self, word: str, definition: str, gvk: tuple[str, str, str]) -> Operation:
        name = f"create{self._prefix}{word}"
        codes = (200, 201, 202)
        return Operation("post", name, "post", gvk, definition, definition, codes=codes, parameters=WRITE_PARAMETERS)

    def _parts(self, word: str, definition: str, gvk: tuple[str, str, str], verbs: frozenset[str]) -> list[Operation]:
        """Get, update and patch."""
        found, codes = [], (200, 201)
        if "get" in verbs:
            found.append(Operation("get", f"read{self._prefix}{word}", "get", gvk, definition))
        if "update" in verbs:
            name = f"replace{self._prefix}{word}"
            found.append(
                Operation("put", name, "put", gvk, definition, definition, codes=codes, parameters=WRITE_PARAMETERS)
            )
        if "patch" in verbs:
            name = f"patch{self._prefix}{word}"
            parameters = (*WRITE_PARAMETERS[:1], "fieldManager", "fieldValidation", "force")
            found.append(
                Operation(
                    "patch",
                    name,
                    "patch",
                    gvk,
                    definition,
                    PATCH,
                    consumes=PATCHES,
                    codes=codes,
                    parameters=parameters,
                )
            )
        return found

    def child_paths(self, path: str, child: Subresource, inside: tuple[str, ...]) -> Iterator[Path]:
        """The path of a sub-resource; a proxy has two."""
        group, version, kind = child.body or ("", "", self._kind.name)
        gvk = (group, version, kind) if version else (self._kind.group, self._kind.version, kind)
        word = self._word + child.name.capitalize()
        tag = tag_of(self._kind.group, self._kind.version)
        if child.name in _CONNECT:
            own = (*inside, *_CONNECT[child.name])
            yield Path(f"{path}/{child.name}", tag, self._connects(child, gvk), own, self._kind.name)
            if child.name == "proxy":
                operations = self._connects(child, gvk, "WithPath")
                yield Path(f"{path}/proxy/{{path}}", tag, operations, (*own, "{path}"), self._kind.name)
            return
        if child.name == "log":
            read = Operation("get", f"read{self._prefix}{word}", "get", gvk, "", produces=("text/plain", *OBJECTS))
            yield self.path(f"{path}/log", [read], (*inside, *_LOG))
            return
        definition = _definitions_by_kind()[gvk]
        parts = self._parts(word, definition, gvk, child.verbs)
        if "create" in child.verbs:
            parts.append(self._create(word, definition, gvk))
        yield self.path(f"{path}/{child.name}", parts, inside)

    def _connects(self, child: Subresource, gvk: tuple[str, str, str], suffix: str = "") -> tuple[Operation, ...]:
        methods = _PROXY_METHODS if child.name == "proxy" else ("get", "post")
        word = self._word + child.name.capitalize() + suffix
        return tuple(
            Operation(method, f"connect{self._prefix}{method.capitalize()}{word}", "connect", gvk, "", produces=ANY)
            for method in methods
        )
