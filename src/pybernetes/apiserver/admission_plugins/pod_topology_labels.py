"""PodTopologyLabels: a pod carries zone and region of its node, so that it can read them by the downward API.

A pod that is created on a node, or is being bound to one, comes in and gets the node's labels.
"""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.core_v1 import Binding, Node, Pod
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write
from pybernetes.apiserver.reader import Reader

_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels(Bystander):
    """Labels pods when it becomes known where they run."""

    name = "PodTopologyLabels"
    repeats = True
    resources = frozenset({"pods"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "pods", ("CREATE",)) or is_write(request, "", "pods", ("CREATE",), "binding")

    async def admit(self, request: AdmissionRequest) -> None:
        obj = request.object
        node = self._reader.get(Node, name) if obj is not None and (name := _node_of(obj)) else None
        if obj is None or node is None:
            return
        labels = {key: node.metadata.labels[key] for key in _LABELS if key in node.metadata.labels}
        if labels:
            # The labels of a Binding become those of its pod.
            obj.metadata.labels = {**obj.metadata.labels, **labels}


def _node_of(obj: ApiObject) -> str:
    if isinstance(obj, Binding):
        return (obj.target.name or "") if obj.target.kind == "Node" else ""
    return (obj.spec.node_name or "") if isinstance(obj, Pod) else ""
