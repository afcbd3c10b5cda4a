"""PodTopologyLabels: a pod carries zone and region of its node, so that it can read them by the downward API.

A pod that is created on a node, or is being bound to one, comes in and gets the node's labels.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Node, Pod
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
        # The binding sub-resource gives the pod its node by an update.
        return is_write(request, "", "pods", ("CREATE",)) or is_write(request, "", "pods", ("UPDATE",), "binding")

    async def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod) or not pod.spec.node_name:
            return
        node = self._reader.get(Node, pod.spec.node_name)
        if node is None:
            return
        labels = {key: node.metadata.labels[key] for key in _LABELS if key in node.metadata.labels}
        if labels:
            pod.metadata.labels = {**pod.metadata.labels, **labels}
