"""Every kind that the API serves, one row a kind, in discovery order: here those of the core group.

The named groups' rows are in `kind_rows_named.py`.
"""

from __future__ import annotations

from pybernetes.api.kind import ALL_VERBS, CREATE_ONLY, SCALE_AND_STATUS, STATUS, Kind, Subresource
from pybernetes.api.kind_rows_named import NAMED_KINDS
from pybernetes.api.types import core_v1

CORE_KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "bindings", core_v1.Binding, verbs=CREATE_ONLY),
    Kind(
        "",
        "v1",
        "componentstatuses",
        core_v1.ComponentStatus,
        namespaced=False,
        verbs=frozenset({"get", "list"}),
        short_names=("cs",),
    ),
    Kind("", "v1", "configmaps", core_v1.ConfigMap, short_names=("cm",), storage_version_hash="qFsyl6wFWjQ="),
    Kind("", "v1", "endpoints", core_v1.Endpoints, short_names=("ep",), storage_version_hash="fWeeMqaN/OA="),
    Kind("", "v1", "events", core_v1.Event, short_names=("ev",), storage_version_hash="r2yiGXH7wu8="),
    Kind(
        "",
        "v1",
        "limitranges",
        core_v1.LimitRange,
        short_names=("limits",),
        storage_version_hash="EBKMFVe6cwo=",
    ),
    Kind(
        "",
        "v1",
        "namespaces",
        core_v1.Namespace,
        namespaced=False,
        verbs=ALL_VERBS - {"deletecollection"},
        short_names=("ns",),
        subresources=(
            Subresource("finalize", frozenset({"update"})),
            Subresource("status"),
        ),
        storage_version_hash="Q3oi5N2YM8M=",
    ),
    Kind(
        "",
        "v1",
        "nodes",
        core_v1.Node,
        namespaced=False,
        short_names=("no",),
        subresources=(
            Subresource(
                "proxy",
                frozenset({"create", "delete", "get", "patch", "update"}),
                body=("", "", "NodeProxyOptions"),
            ),
            Subresource("status"),
        ),
        storage_version_hash="XwShjMxG9Fs=",
    ),
    Kind(
        "",
        "v1",
        "persistentvolumeclaims",
        core_v1.PersistentVolumeClaim,
        short_names=("pvc",),
        subresources=STATUS,
        storage_version_hash="QWTyNDq0dC4=",
    ),
    Kind(
        "",
        "v1",
        "persistentvolumes",
        core_v1.PersistentVolume,
        namespaced=False,
        short_names=("pv",),
        subresources=STATUS,
        storage_version_hash="HN/zwEC+JgM=",
    ),
    Kind(
        "",
        "v1",
        "pods",
        core_v1.Pod,
        short_names=("po",),
        categories=("all",),
        subresources=(
            Subresource("attach", frozenset({"create", "get"}), body=("", "", "PodAttachOptions")),
            Subresource("binding", frozenset({"create"}), body=("", "", "Binding")),
            Subresource("ephemeralcontainers"),
            Subresource("eviction", frozenset({"create"}), body=("policy", "v1", "Eviction")),
            Subresource("exec", frozenset({"create", "get"}), body=("", "", "PodExecOptions")),
            Subresource("log", frozenset({"get"})),
            Subresource("portforward", frozenset({"create", "get"}), body=("", "", "PodPortForwardOptions")),
            Subresource(
                "proxy",
                frozenset({"create", "delete", "get", "patch", "update"}),
                body=("", "", "PodProxyOptions"),
            ),
            Subresource("resize"),
            Subresource("status"),
        ),
        storage_version_hash="xPOwRZ+Yhw8=",
    ),
    Kind("", "v1", "podtemplates", core_v1.PodTemplate, storage_version_hash="LIXB2x4IFpk="),
    Kind(
        "",
        "v1",
        "replicationcontrollers",
        core_v1.ReplicationController,
        short_names=("rc",),
        categories=("all",),
        subresources=SCALE_AND_STATUS,
        storage_version_hash="Jond2If31h0=",
    ),
    Kind(
        "",
        "v1",
        "resourcequotas",
        core_v1.ResourceQuota,
        short_names=("quota",),
        subresources=STATUS,
        storage_version_hash="8uhSgffRX6w=",
    ),
    Kind("", "v1", "secrets", core_v1.Secret, storage_version_hash="S6u1pOWzb84="),
    Kind(
        "",
        "v1",
        "serviceaccounts",
        core_v1.ServiceAccount,
        short_names=("sa",),
        subresources=(
            Subresource("token", frozenset({"create"}), body=("authentication.k8s.io", "v1", "TokenRequest")),
        ),
        storage_version_hash="pbx9ZvyFpBE=",
    ),
    Kind(
        "",
        "v1",
        "services",
        core_v1.Service,
        short_names=("svc",),
        categories=("all",),
        subresources=(
            Subresource(
                "proxy",
                frozenset({"create", "delete", "get", "patch", "update"}),
                body=("", "", "ServiceProxyOptions"),
            ),
            Subresource("status"),
        ),
        storage_version_hash="0/CO1lhkEBI=",
    ),
)

KINDS = (*CORE_KINDS, *NAMED_KINDS)
