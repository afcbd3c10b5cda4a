"""Rows of rules about requests: RBAC, certificates, API services, admission, priority and fairness. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pybernetes.api.types.admissionregistration_v1 import (
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    MutatingWebhookConfiguration,
    ParamKind,
    ParamRef,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingWebhookConfiguration,
)
from pybernetes.api.types.apiregistration_v1 import APIService
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.api.types.flowcontrol_v1 import FlowSchema, PriorityLevelConfiguration
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.api.types.rbac_v1 import ClusterRoleBinding, RoleBinding
from pybernetes.apiserver.printing.cells import NONE, UNSET, age, columns, duration, name

BINDING_COLUMNS = columns("Name", "Role", "Age", "*Users", "*Groups", "*ServiceAccounts")
SIGNING_REQUEST_COLUMNS = columns("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition")
API_SERVICE_COLUMNS = columns("Name", "Service", "Available", "Age")
WEBHOOKS_COLUMNS = columns("Name", "Webhooks:integer", "Age")
VALIDATING_POLICY_COLUMNS = columns("Name", "Validations:integer", "ParamKind", "Age")
MUTATING_POLICY_COLUMNS = columns("Name", "Mutations:integer", "ParamKind", "Age")
POLICY_BINDING_COLUMNS = columns("Name", "PolicyName", "ParamRef", "Age")
FLOW_SCHEMA_COLUMNS = columns("Name", "PriorityLevel", "MatchingPrecedence", "DistinguisherMethod", "Age", "MissingPL")
PRIORITY_LEVEL_COLUMNS = columns(
    "Name", "Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", "Age"
)


def binding_row(binding: RoleBinding | ClusterRoleBinding, now: datetime) -> list[Any]:
    """The cells of a RoleBinding or ClusterRoleBinding."""
    subjects, role = binding.subjects, binding.role_ref
    return [
        name(binding),
        f"{role.kind}/{role.name}",
        age(binding, now),
        ", ".join(item.name for item in subjects if item.kind == "User"),
        ", ".join(item.name for item in subjects if item.kind == "Group"),
        ", ".join(f"{item.namespace or ''}/{item.name}" for item in subjects if item.kind == "ServiceAccount"),
    ]


def signing_request_row(request: CertificateSigningRequest, now: datetime) -> list[Any]:
    """The cells of a CertificateSigningRequest."""
    spec = request.spec
    asked = NONE if spec.expiration_seconds is None else duration(timedelta(seconds=spec.expiration_seconds))
    return [
        name(request),
        age(request, now),
        spec.signer_name or NONE,
        spec.username or "",
        asked,
        _signing_condition(request),
    ]


def _signing_condition(request: CertificateSigningRequest) -> str:
    types = {item.type for item in request.status.conditions}
    word = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    if "Failed" in types:
        word += ",Failed"
    return f"{word},Issued" if request.status.certificate else word


def api_service_row(service: APIService, now: datetime) -> list[Any]:
    """The cells of an APIService."""
    backend = service.spec.service
    where = "Local" if backend is None else f"{backend.namespace or ''}/{backend.name or ''}"
    condition = next((item for item in service.status.conditions if item.type == "Available"), None)
    available = "Unknown"
    if condition is not None:
        available = "True" if condition.status == "True" else f"{condition.status} ({condition.reason or ''})"
    return [name(service), where, available, age(service, now)]


def webhooks_row(
    configuration: MutatingWebhookConfiguration | ValidatingWebhookConfiguration, now: datetime
) -> list[Any]:
    """The cells of a configuration of webhooks."""
    return [name(configuration), len(configuration.webhooks), age(configuration, now)]


def validating_policy_row(policy: ValidatingAdmissionPolicy, now: datetime) -> list[Any]:
    """The cells of a ValidatingAdmissionPolicy."""
    return [name(policy), len(policy.spec.validations), _param_kind(policy.spec.param_kind), age(policy, now)]


def mutating_policy_row(policy: MutatingAdmissionPolicy, now: datetime) -> list[Any]:
    """The cells of a MutatingAdmissionPolicy."""
    return [name(policy), len(policy.spec.mutations), _param_kind(policy.spec.param_kind), age(policy, now)]


def policy_binding_row(
    binding: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding, now: datetime
) -> list[Any]:
    """The cells of a binding of an admission policy."""
    return [name(binding), binding.spec.policy_name or "", _param_ref(binding.spec.param_ref), age(binding, now)]


def _param_kind(kind: ParamKind | None) -> str:
    return UNSET if kind is None else f"{kind.api_version or ''}/{kind.kind or ''}"


def _param_ref(reference: ParamRef | None) -> str:
    if reference is None:
        return UNSET
    if reference.name:
        return f"{reference.namespace}/{reference.name}" if reference.namespace else reference.name
    return _go_selector(reference.selector) if reference.selector is not None else UNSET


def _go_selector(selector: LabelSelector) -> str:
    """A label selector as Go prints the struct; upstream shows it so."""
    labels = "".join(f"{key}: {value}," for key, value in sorted(selector.match_labels.items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{item.key},Operator:{item.operator},Values:[{' '.join(item.values)}],}},"
        for item in selector.match_expressions
    )
    listed = f"[]LabelSelectorRequirement{{{expressions}}}"
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:{listed},}}"


def flow_schema_row(schema: FlowSchema, now: datetime) -> list[Any]:
    """The cells of a FlowSchema."""
    spec = schema.spec
    dangling = next((item.status for item in schema.status.conditions if item.type == "Dangling"), None)
    return [
        name(schema),
        spec.priority_level_configuration.name,
        spec.matching_precedence or 0,
        NONE if spec.distinguisher_method is None else spec.distinguisher_method.type,
        age(schema, now),
        "?" if dangling is None else dangling,
    ]


def flow_schema_order(schema: FlowSchema) -> tuple[int, str]:
    """Whoever is asked first comes first."""
    return schema.spec.matching_precedence or 0, name(schema)


def priority_level_row(level: PriorityLevelConfiguration, now: datetime) -> list[Any]:
    """The cells of a PriorityLevelConfiguration."""
    limited = level.spec.limited
    queuing = limited.limit_response.queuing if limited is not None else None
    shares: Any = NONE if limited is None else limited.nominal_concurrency_shares or 0
    queues: list[Any] = [NONE] * 3
    if queuing is not None:
        queues = [queuing.queues or 0, queuing.hand_size or 0, queuing.queue_length_limit or 0]
    return [name(level), level.spec.type, shares, *queues, age(level, now)]
