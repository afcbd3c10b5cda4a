"""Strategies of admissionregistration.k8s.io: webhook configurations and admission policies with their bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pybernetes.api.types.admissionregistration_v1 import (
    MatchResources,
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    MutatingWebhook,
    MutatingWebhookConfiguration,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
)
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.apiserver.resources.prepare import (
    clear_status_and_count,
    count_any_change_of,
    count_spec_changes,
    first_generation,
    keep_status_and_count,
    only_status_and_its_metadata,
)
from pybernetes.apiserver.resources.strategy import Strategy


def _default_webhook(webhook: MutatingWebhook | ValidatingWebhook) -> None:
    webhook.failure_policy = webhook.failure_policy or "Fail"
    webhook.match_policy = webhook.match_policy or "Equivalent"
    webhook.namespace_selector = webhook.namespace_selector or LabelSelector()
    webhook.object_selector = webhook.object_selector or LabelSelector()
    if webhook.timeout_seconds is None:
        webhook.timeout_seconds = 10
    if webhook.client_config.service is not None and webhook.client_config.service.port is None:
        webhook.client_config.service.port = 443
    for rule in webhook.rules:
        rule.scope = rule.scope or "*"


def _default_validating(configuration: ValidatingWebhookConfiguration) -> None:
    for webhook in configuration.webhooks:
        _default_webhook(webhook)


def _default_mutating(configuration: MutatingWebhookConfiguration) -> None:
    for webhook in configuration.webhooks:
        _default_webhook(webhook)
        webhook.reinvocation_policy = webhook.reinvocation_policy or "Never"


def _default_match(match: MatchResources | None) -> None:
    if match is None:
        return
    match.match_policy = match.match_policy or "Equivalent"
    match.namespace_selector = match.namespace_selector or LabelSelector()
    match.object_selector = match.object_selector or LabelSelector()
    for rule in (*match.resource_rules, *match.exclude_resource_rules):
        rule.scope = rule.scope or "*"


def _default_policy(policy: ValidatingAdmissionPolicy | MutatingAdmissionPolicy) -> None:
    policy.spec.failure_policy = policy.spec.failure_policy or "Fail"
    _default_match(policy.spec.match_constraints)


def _default_binding(binding: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding) -> None:
    _default_match(binding.spec.match_resources)


def _webhooks(default: Callable[[Any], None]) -> Strategy:
    return Strategy(
        default=default,
        prepare_create=first_generation,
        prepare_update=count_any_change_of("webhooks"),
        unconditional_update=False,
    )


VALIDATING_WEBHOOK_CONFIGURATION = _webhooks(_default_validating)
MUTATING_WEBHOOK_CONFIGURATION = _webhooks(_default_mutating)
VALIDATING_ADMISSION_POLICY = Strategy(
    default=_default_policy,
    prepare_create=clear_status_and_count,
    prepare_update=keep_status_and_count,
    prepare_status=only_status_and_its_metadata,
    unconditional_update=False,
)
MUTATING_ADMISSION_POLICY = Strategy(
    default=_default_policy,
    prepare_create=first_generation,
    prepare_update=count_spec_changes,
    unconditional_update=False,
)
ADMISSION_POLICY_BINDING = Strategy(
    default=_default_binding,
    prepare_create=first_generation,
    prepare_update=count_spec_changes,
    unconditional_update=False,
)
