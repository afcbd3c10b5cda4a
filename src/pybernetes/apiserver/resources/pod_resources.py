"""Defaults of what a pod asks for as a whole, once it asks for something as a whole. For Pods, not for templates."""

from __future__ import annotations

from pybernetes.api.pod_amounts import pod_limits, pod_requests
from pybernetes.api.types.core_v1 import Pod, PodSpec, ResourceRequirements
from pybernetes.apiserver.resources.validation.numbers import is_hugepages


def default_pod_resources(spec: PodSpec, resources: ResourceRequirements) -> None:
    """Fills in place what follows from the containers' amounts, which have been defaulted.

    Pages that containers have limits for are limits of the pod, unless it asks for them itself. What has no request is
    asked for as much as the containers ask, or else as much as the pod may use.
    """
    if not resources.limits and not resources.requests:
        return
    bare = Pod(spec=PodSpec(containers=spec.containers, init_containers=spec.init_containers))
    pages = {
        name: amount
        for name, amount in pod_limits(bare).items()
        if is_hugepages(name) and name not in resources.requests
    }
    resources.limits = {**pages, **resources.limits}
    if not resources.limits:
        return
    asked = {name: amount for name, amount in pod_requests(bare).items() if name in ("cpu", "memory")}
    known = {
        name: amount for name, amount in resources.limits.items() if name in ("cpu", "memory") or is_hugepages(name)
    }
    resources.requests = {**known, **asked, **resources.requests}
