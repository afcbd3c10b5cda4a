"""Finding pods by who controls them and by their node, in the shared informers, instead of scanning namespaces.

Workload, node and eviction controllers use it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.objects import Object
from pybernetes.api.types.core_v1 import Pod
from pybernetes.controllers.ownership import controller_of
from pybernetes.reconcile import Informer

_BY_CONTROLLER = "controller"
_ORPHANS = "orphans"
_BY_NODE = "node"


def index_by_controller(informer: Informer[Object]) -> None:
    """Adds the indexes that the functions below read; may be called by any number of controllers."""
    informer.add_index(_BY_CONTROLLER, _controller_uid)
    informer.add_index(_ORPHANS, _orphan_namespace)


def _controller_uid(obj: Object) -> Iterable[str]:
    owner = controller_of(obj)
    return (owner.uid,) if owner is not None else ()


def _orphan_namespace(obj: Object) -> Iterable[str]:
    return (obj.metadata.namespace or "",) if controller_of(obj) is None else ()


def controlled_by(informer: Informer[Object], uid: str | None) -> list[Object]:
    """The objects whose controller has this uid."""
    return informer.cache.by_index(_BY_CONTROLLER, uid or "")


def orphans_in(informer: Informer[Object], namespace: str | None) -> list[Object]:
    """The objects of a namespace that nobody controls."""
    return informer.cache.by_index(_ORPHANS, namespace or "")


def index_by_node(informer: Informer[Pod]) -> None:
    """Adds the index that `pods_on` reads."""
    informer.add_index(_BY_NODE, _node_name)


def _node_name(pod: Pod) -> Iterable[str]:
    return (pod.spec.node_name,) if pod.spec.node_name else ()


def pods_on(informer: Informer[Pod], node: str) -> list[Pod]:
    """The pods that are bound to the node."""
    return informer.cache.by_index(_BY_NODE, node)
