"""The strategy of Nodes."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.core_v1 import Node
from pybernetes.apiserver.resources.amounts import canonicalize
from pybernetes.apiserver.resources.prepare import keep_status, only_status
from pybernetes.apiserver.resources.strategy import Strategy


def _default_node(node: Node) -> None:
    """Status reports what there is to allocate when it says nothing else."""
    status, spec = node.status, node.spec
    if not status.allocatable and status.capacity:
        status.allocatable = dict(status.capacity)
    canonicalize(status.capacity)
    canonicalize(status.allocatable)
    if spec.pod_cidr:
        # The older field wins over the first of the newer one.
        spec.pod_cidrs = [spec.pod_cidr, *spec.pod_cidrs[1:]]
    elif spec.pod_cidrs:
        spec.pod_cidr = spec.pod_cidrs[0]
    spec.unschedulable = spec.unschedulable or None


def _prepare_create(node: Node) -> None:
    """Kubelets get their configuration elsewhere, and have for long."""
    node.spec.config_source = node.status.config = None


def _prepare_update(new: Node, old: Node) -> None:
    keep_status(new, old)
    new.spec.config_source = None


def _prepare_status(new: Node, old: Node) -> None:
    only_status(new, old)
    new.status.config = None


def _fields(node: Node) -> Mapping[str, str]:
    return {"spec.unschedulable": "true" if node.spec.unschedulable else "false"}


# A kubelet registers with its status, so a create keeps what it sent.
NODE = Strategy(
    default=_default_node,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    prepare_status=_prepare_status,
    fields=_fields,
    field_names=frozenset(_fields(Node())),
)
