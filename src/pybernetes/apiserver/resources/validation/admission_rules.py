"""Rules for the rules of webhooks and policies: which operations on which resources they are about. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.names import path_segment_name
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.types.admissionregistration_v1 import NamedRuleWithOperations, RuleWithOperations
from pybernetes.apiserver.resources.validation.lists import no_twins, star_alone
from pybernetes.apiserver.resources.validation.texts import each_obeys, each_one_of, none_or_one_of

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def validate_named_rule(rule: NamedRuleWithOperations, path: str) -> list[FieldError]:
    """The rules for one that may be about single objects."""
    where = f"{path}.resourceNames"
    errors = each_obeys(rule.resource_names, path_segment_name, where)
    return errors + no_twins(rule.resource_names, where) + validate_rule(rule, path)


def validate_rule(rule: RuleWithOperations | NamedRuleWithOperations, path: str) -> list[FieldError]:
    """The rules for one of them."""
    errors = _some(rule.operations, "operations", f"{path}.operations")
    errors += each_one_of(rule.operations, _OPERATIONS, f"{path}.operations")
    errors += _some(rule.api_groups, "API groups", f"{path}.apiGroups")
    versions = f"{path}.apiVersions"
    errors += _some(rule.api_versions, "API versions", versions)
    errors += [required(f"{versions}[{index}]") for index, version in enumerate(rule.api_versions) if not version]
    errors += _validate_resources(rule.resources, f"{path}.resources")
    return errors + none_or_one_of(rule.scope, ("*", "Cluster", "Namespaced"), f"{path}.scope")


def _some(values: Sequence[str], what: str, path: str) -> list[FieldError]:
    return star_alone(values, what, path) if values else [required(path)]


def _validate_resources(resources: Sequence[str], path: str) -> list[FieldError]:
    """Resources and sub-resources as `pods`, `pods/log`, `pods/*`, `*/scale`, `*` and `*/*`; none stands in another."""
    errors = [] if resources else [required(path)]
    known: set[str] = set()
    for index, name in enumerate(resources):
        where = f"{path}[{index}]"
        resource, slash, subresource = name.partition("/")
        if not name:
            errors.append(required(where))
        elif slash:
            wider = (f"{resource}/*", f"*/{subresource}")
            errors += [
                invalid(where, name, f"if '{held}' is present, must not specify {name}")
                for held in wider
                if held in known
            ]
            known.add(name)
    if "*/*" in resources and len(resources) > 1:
        detail = "if '*/*' is present, must not specify other resources"
        errors.append(invalid(path, resources, detail))
    whole = [name for name in resources if name and "/" not in name]
    # As upstream: what comes before the star goes unnoticed.
    if "*" in whole and whole[-1] != "*":
        detail = "if '*' is present, must not specify other resources without subresources"
        errors.append(invalid(path, resources, detail))
    return errors
