"""TaintNodesByCondition: a new node takes no pods before it has said that it is ready."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Node, Taint
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write

NOT_READY = "node.kubernetes.io/not-ready"


class TaintNodesByCondition(Bystander):
    """Taints new nodes; the node lifecycle controller takes the taint away."""

    name = "TaintNodesByCondition"
    resources = frozenset({"nodes"})

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "nodes", ("CREATE",))

    async def admit(self, request: AdmissionRequest) -> None:
        node = request.object
        if not isinstance(node, Node):
            return
        if not any(taint.key == NOT_READY and taint.effect == "NoSchedule" for taint in node.spec.taints):
            node.spec.taints = [*node.spec.taints, Taint(key=NOT_READY, effect="NoSchedule")]
