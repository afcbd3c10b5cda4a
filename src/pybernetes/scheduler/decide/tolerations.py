"""Which taints a pod puts up with."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.types.core_v1 import Toleration
from pybernetes.scheduler.node_info import TaintKey


def tolerates(toleration: Toleration, taint: TaintKey) -> bool:
    """Whether one toleration covers a taint; an empty key or effect covers all of them."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in (None, "", "Equal") and (toleration.value or "") == taint.value


def untolerated(tolerations: Sequence[Toleration], taints: Sequence[TaintKey]) -> TaintKey | None:
    """The first taint that no toleration covers."""
    for taint in taints:
        if not any(tolerates(toleration, taint) for toleration in tolerations):
            return taint
    return None
