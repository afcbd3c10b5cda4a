"""DefaultTolerationSeconds: a pod stays for five minutes on a node that has become unready or unreachable."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Pod, Toleration
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write

_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SECONDS = 300


class DefaultTolerationSeconds(Bystander):
    """Adds the two tolerations to pods that do not say otherwise."""

    name = "DefaultTolerationSeconds"
    repeats = True
    resources = frozenset({"pods"})

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "pods", ("CREATE", "UPDATE"))

    async def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod):
            return
        missing = [taint for taint in _TAINTS if not any(_tolerates(item, taint) for item in pod.spec.tolerations)]
        if missing:
            pod.spec.tolerations = pod.spec.tolerations + [
                Toleration(key=taint, operator="Exists", effect="NoExecute", toleration_seconds=_SECONDS)
                for taint in missing
            ]


def _tolerates(toleration: Toleration, taint: str) -> bool:
    return (not toleration.key or toleration.key == taint) and toleration.effect in (None, "", "NoExecute")
