"""Rules for configurations of admission webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pybernetes.api.names import dns1035_label, dns1123_subdomain
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import (
    MutatingWebhook,
    MutatingWebhookConfiguration,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
)
from pybernetes.apiserver.resources.validation.admission_policies import validate_match_conditions
from pybernetes.apiserver.resources.validation.admission_rules import validate_rule
from pybernetes.apiserver.resources.validation.lists import each, repeated
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import none_or_one_of, obeys, one_of
from pybernetes.apiserver.resources.validation.webhook_clients import client_errors

_REVIEW_VERSIONS = ("v1", "v1beta1")
_EFFECTS = ("None", "NoneOnDryRun")
# What webhooks could say of themselves before they had to be free of effects.
_OLD_EFFECTS = ("None", "NoneOnDryRun", "Some", "Unknown")
_POLICIES = (
    ("failure_policy", "failurePolicy", ("Fail", "Ignore")),
    ("match_policy", "matchPolicy", ("Equivalent", "Exact")),
)
_REINVOCATION = ("IfNeeded", "Never")
Configuration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration
_Webhook = ValidatingWebhook | MutatingWebhook


class _Leave(NamedTuple):
    """What is let pass because the stored configuration has it already."""

    conditions: bool = False
    effects: bool = False
    versions: bool = False
    names: bool = False
    selectors: bool = False


def validate_webhooks(configuration: Configuration) -> list[FieldError]:
    return _validate(configuration.webhooks, _Leave())


def validate_webhooks_update(new: Configuration, old: Configuration) -> list[FieldError]:
    before: Sequence[_Webhook] = old.webhooks
    names = [webhook.name for webhook in before]
    leave = _Leave(
        conditions=[each.match_conditions for each in new.webhooks] == [each.match_conditions for each in before],
        effects=any(webhook.side_effects not in _EFFECTS for webhook in before),
        versions=any(each.admission_review_versions and not _is_read(each) for each in before),
        names=len(set(names)) < len(names),
        selectors=any(_selector_errors(webhook, "") for webhook in before),
    )
    return _validate(new.webhooks, leave)


def _is_read(webhook: _Webhook) -> bool:
    """Whether the webhook reads a version of reviews that this server writes."""
    return any(version in _REVIEW_VERSIONS for version in webhook.admission_review_versions)


def _validate(webhooks: Sequence[_Webhook], leave: _Leave) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(webhook.name for webhook in webhooks)
    for index, webhook in enumerate(webhooks):
        path = f"webhooks[{index}]"
        errors += _validate_webhook(webhook, path, leave)
        errors += _validate_versions(webhook, f"{path}.admissionReviewVersions", leave)
        if webhook.name and index in again and not leave.names:
            errors.append(duplicate(f"{path}.name", webhook.name))
    return errors


def _validate_webhook(webhook: _Webhook, path: str, leave: _Leave) -> list[FieldError]:
    errors = _validate_name(webhook.name, f"{path}.name")
    errors += each(webhook.rules, validate_rule, f"{path}.rules")
    for attribute, name, allowed in _POLICIES:
        given = getattr(webhook, attribute)
        errors += one_of(given, allowed, f"{path}.{name}")
    effects, wanted = webhook.side_effects, _OLD_EFFECTS if leave.effects else _EFFECTS
    if not effects:
        errors.append(required(f"{path}.sideEffects", f"must specify one of {', '.join(wanted)}"))
    elif effects not in wanted:
        errors.append(not_supported(f"{path}.sideEffects", effects, wanted))
    seconds = webhook.timeout_seconds
    if seconds is not None and not 1 <= seconds <= 30:
        detail = "the timeout value must be between 1 and 30 seconds"
        errors.append(invalid(f"{path}.timeoutSeconds", seconds, detail))
    errors += [] if leave.selectors else _selector_errors(webhook, path)
    if isinstance(webhook, MutatingWebhook):
        errors += none_or_one_of(webhook.reinvocation_policy, _REINVOCATION, f"{path}.reinvocationPolicy")
    errors += client_errors(webhook.client_config, f"{path}.clientConfig")
    if leave.conditions:
        return errors
    return errors + validate_match_conditions(webhook.match_conditions, f"{path}.matchConditions")


def _validate_name(name: str, path: str) -> list[FieldError]:
    """At least three words with dots between them."""
    if not name:
        return [required(path)]
    if problems := dns1123_subdomain(name):
        return [invalid(path, name, ",".join(problems))]
    if name.count(".") < 2:
        return [invalid(path, name, "should be a domain with at least three segments separated by dots")]
    return []


def _selector_errors(webhook: _Webhook, path: str) -> list[FieldError]:
    errors = validate_selector(webhook.namespace_selector, f"{path}.namespaceSelector")
    return errors + validate_selector(webhook.object_selector, f"{path}.objectSelector")


def _validate_versions(webhook: _Webhook, path: str, leave: _Leave) -> list[FieldError]:
    versions, wanted = webhook.admission_review_versions, ", ".join(_REVIEW_VERSIONS)
    if not versions:
        return [required(path, f"must specify one of {wanted}")]
    errors: list[FieldError] = []
    again = repeated(versions)
    for index, version in enumerate(versions):
        where = f"{path}[{index}]"
        if index in again:
            errors.append(invalid(where, version, "duplicate version"))
        else:
            errors += obeys(version, dns1035_label, where)
    if not leave.versions and not _is_read(webhook):
        errors.append(invalid(path, versions, f"must include at least one of {wanted}"))
    return errors
