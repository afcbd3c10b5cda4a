"""Strategies of flowcontrol.apiserver.k8s.io: who waits for whom when the API server is busy."""

from __future__ import annotations

from pybernetes.api.types.flowcontrol_v1 import (
    ExemptPriorityLevelConfiguration,
    FlowSchema,
    LimitedPriorityLevelConfiguration,
    PriorityLevelConfiguration,
)
from pybernetes.apiserver.resources.prepare import (
    clear_status_and_count,
    keep_status_and_count,
    only_status_and_its_metadata,
)
from pybernetes.apiserver.resources.strategy import Strategy


def _default_flow_schema(schema: FlowSchema) -> None:
    schema.spec.matching_precedence = schema.spec.matching_precedence or 1000
    for rule in schema.spec.rules:
        for resource_rule in rule.resource_rules:
            resource_rule.cluster_scope = resource_rule.cluster_scope or None


def _default_priority_level(level: PriorityLevelConfiguration) -> None:
    spec = level.spec
    if spec.type == "Exempt":
        exempt = spec.exempt = spec.exempt or ExemptPriorityLevelConfiguration()
        exempt.nominal_concurrency_shares = exempt.nominal_concurrency_shares or 0
        exempt.lendable_percent = exempt.lendable_percent or 0
    if spec.limited is not None:
        _default_limited(spec.limited)


def _default_limited(limited: LimitedPriorityLevelConfiguration) -> None:
    if limited.nominal_concurrency_shares is None:
        limited.nominal_concurrency_shares = 30
    limited.lendable_percent = limited.lendable_percent or 0
    queuing = limited.limit_response.queuing
    if limited.limit_response.type == "Queue" and queuing is not None:
        queuing.queues = queuing.queues or 64
        queuing.hand_size = queuing.hand_size or 8
        queuing.queue_length_limit = queuing.queue_length_limit or 50


FLOW_SCHEMA = Strategy(
    default=_default_flow_schema,
    prepare_create=clear_status_and_count,
    prepare_update=keep_status_and_count,
    prepare_status=only_status_and_its_metadata,
)
PRIORITY_LEVEL_CONFIGURATION = Strategy(
    default=_default_priority_level,
    prepare_create=clear_status_and_count,
    prepare_update=keep_status_and_count,
    prepare_status=only_status_and_its_metadata,
)
