"""Rules for APIServices: names that say group and version, priorities, and the server that is asked."""

from __future__ import annotations

from pybernetes.api.names import dns1035_label, dns1123_subdomain
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.types.apiregistration_v1 import APIService
from pybernetes.apiserver.resources.validation.texts import obeys


def validate_api_service(service: APIService) -> list[FieldError]:
    spec = service.spec
    group, version = spec.group or "", spec.version or ""
    errors: list[FieldError] = []
    expected = f"{version}.{group}"
    if service.metadata.name != expected:
        detail = f'must be `spec.version+"."+spec.group`: "{expected}"'
        errors.append(invalid("metadata.name", service.metadata.name, detail))
    if not group:
        if version != "v1":
            detail = "only v1 may have an empty group and it better be legacy kube"
            errors.append(required("spec.group", detail))
    else:
        errors += obeys(group, dns1123_subdomain, "spec.group")
    errors += obeys(version, dns1035_label, "spec.version")
    if not 0 < spec.group_priority_minimum <= 20000:
        detail = "must be positive and less than 20000"
        errors.append(invalid("spec.groupPriorityMinimum", spec.group_priority_minimum, detail))
    if not 0 < spec.version_priority <= 1000:
        detail = "must be positive and less than 1000"
        errors.append(invalid("spec.versionPriority", spec.version_priority, detail))
    if spec.service is not None:
        given = (("namespace", spec.service.namespace), ("name", spec.service.name))
        errors += [required(f"spec.service.{name}") for name, value in given if not value]
        if spec.insecure_skip_tls_verify and spec.ca_bundle:
            detail = "may not be true if caBundle is present"
            errors.append(invalid("spec.insecureSkipTLSVerify", True, detail))
    return errors
