"""Rules for the resources of a pod as a whole, and how its containers' fit into them."""

from __future__ import annotations

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.pod_amounts import Amounts, pod_limits, pod_requests
from pybernetes.api.quantity import compare
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import Pod, PodResourceClaim, PodSpec
from pybernetes.apiserver.resources.validation.numbers import is_hugepages, pod_resource_name, requirements
from pybernetes.apiserver.resources.validation.texts import none_or_obeys, obeys


def validate_pod_resources(spec: PodSpec, path: str) -> list[FieldError]:
    resources = spec.resources
    if resources is None:
        return []
    if spec.os is not None and spec.os.name == "windows":
        return [forbidden_field(path, "may not be set for a windows pod")]
    errors: list[FieldError] = []
    if resources.claims:
        errors.append(forbidden_field(f"{path}.claims", "claims may not be set for Resources at pod-level"))
    errors += requirements(resources.limits, resources.requests, path, pod_resource_name)
    return errors + _validate_sums(spec, resources.requests, resources.limits, path)


def _validate_sums(spec: PodSpec, requests: Amounts, limits: Amounts, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    bare = Pod(spec=PodSpec(containers=spec.containers, init_containers=spec.init_containers))
    for name, needed in pod_requests(bare).items():
        given = requests.get(name)
        if given is not None and compare(needed, given) > 0:
            detail = f"must be greater than or equal to aggregate container requests of {needed}"
            errors.append(invalid(f"{path}.requests[{name}]", given, detail))
    for name, needed in pod_limits(bare).items():
        given = limits.get(name)
        if is_hugepages(name) and given is not None and compare(needed, given) > 0:
            detail = f"must be greater than or equal to aggregate container limits of {needed}"
            errors.append(invalid(f"{path}.limits[{name}]", given, detail))
    for index, container in enumerate(spec.containers):
        for name, limit in container.resources.limits.items():
            most = limits.get(name)
            if most is not None and compare(limit, most) > 0:
                detail = f"must be less than or equal to pod limits of {most}"
                errors.append(invalid(f"{path}.containers[{index}][{name}].limits", limit, detail))
    return errors


def validate_claims(claims: list[PodResourceClaim], path: str) -> list[FieldError]:
    """Claims of devices: each has a name of its own within the pod, and is one that exists or is made."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, claim in enumerate(claims):
        where = f"{path}[{index}]"
        if not claim.name:
            errors.append(required(f"{where}.name"))
        elif claim.name in names:
            errors.append(duplicate(f"{where}.name", claim.name))
        else:
            errors += obeys(claim.name, dns1123_label, f"{where}.name")
            names.add(claim.name)
        existing, template = claim.resource_claim_name, claim.resource_claim_template_name
        shown = {"Name": claim.name, "ResourceClaimName": existing, "ResourceClaimTemplateName": template}
        if existing is not None and template is not None:
            detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            errors.append(invalid(where, shown, detail))
        if existing is None and template is None:
            detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            errors.append(invalid(where, shown, detail))
        for name, value in (("resourceClaimName", existing), ("resourceClaimTemplateName", template)):
            errors += none_or_obeys(value, dns1123_subdomain, f"{where}.{name}")
    return errors
