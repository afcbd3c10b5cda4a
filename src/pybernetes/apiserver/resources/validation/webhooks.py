"""Rules for configurations of admission webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from pybernetes.api.names import dns1123_subdomain
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import (
    MutatingWebhook,
    MutatingWebhookConfiguration,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
    WebhookClientConfig,
)
from pybernetes.apiserver.resources.validation.admission_policies import validate_match_conditions
from pybernetes.apiserver.resources.validation.admission_rules import validate_rule
from pybernetes.apiserver.resources.validation.selectors import validate_selector

_REVIEW_VERSIONS = ("v1", "v1beta1")


def validate_webhooks(configuration: ValidatingWebhookConfiguration | MutatingWebhookConfiguration) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    webhooks: Sequence[ValidatingWebhook | MutatingWebhook] = configuration.webhooks
    for index, webhook in enumerate(webhooks):
        path = f"webhooks[{index}]"
        errors += _validate_webhook(webhook, path)
        if webhook.name in names:
            errors.append(FieldError("FieldValueDuplicate", f"{path}.name", "", webhook.name))
        names.add(webhook.name)
    return errors


def _validate_webhook(webhook: ValidatingWebhook | MutatingWebhook, path: str) -> list[FieldError]:
    errors = [invalid(f"{path}.name", webhook.name, text) for text in dns1123_subdomain(webhook.name)]
    if not errors and webhook.name.count(".") < 2:
        detail = "should be a domain with at least three segments separated by dots"
        errors.append(invalid(f"{path}.name", webhook.name, detail))
    for index, rule in enumerate(webhook.rules):
        errors += validate_rule(rule, f"{path}.rules[{index}]")
    if webhook.failure_policy not in ("Fail", "Ignore"):
        errors.append(not_supported(f"{path}.failurePolicy", webhook.failure_policy, ("Fail", "Ignore")))
    if webhook.match_policy not in ("Equivalent", "Exact"):
        errors.append(not_supported(f"{path}.matchPolicy", webhook.match_policy, ("Equivalent", "Exact")))
    effects = webhook.side_effects
    if not effects:
        errors.append(required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun"))
    elif effects not in ("None", "NoneOnDryRun"):
        errors.append(not_supported(f"{path}.sideEffects", effects, ("None", "NoneOnDryRun")))
    seconds = webhook.timeout_seconds
    if seconds is not None and not 1 <= seconds <= 30:
        detail = "the timeout value must be between 1 and 30 seconds"
        errors.append(invalid(f"{path}.timeoutSeconds", seconds, detail))
    errors += validate_selector(webhook.namespace_selector, f"{path}.namespaceSelector")
    errors += validate_selector(webhook.object_selector, f"{path}.objectSelector")
    errors += _validate_client(webhook.client_config, f"{path}.clientConfig")
    errors += _validate_versions(webhook.admission_review_versions, f"{path}.admissionReviewVersions")
    return errors + validate_match_conditions(webhook.match_conditions, f"{path}.matchConditions")


def _validate_client(client: WebhookClientConfig, path: str) -> list[FieldError]:
    if (client.url is None) == (client.service is None):
        return [required(path, "exactly one of url or service is required")]
    if client.url is not None:
        return _validate_url(client.url, f"{path}.url")
    assert client.service is not None
    errors: list[FieldError] = []
    if not client.service.name:
        errors.append(required(f"{path}.service.name", "service name is required"))
    if not client.service.namespace:
        errors.append(required(f"{path}.service.namespace", "service namespace is required"))
    return errors


def _validate_url(url: str, path: str) -> list[FieldError]:
    form = "; desired format: https://host[/path]"
    parts = urlsplit(url)
    errors: list[FieldError] = []
    if parts.scheme != "https":
        errors.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{form}"))
    if not parts.netloc:
        errors.append(invalid(path, "", f"host must be specified{form}"))
    if parts.username is not None:
        errors.append(invalid(path, parts.username, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return errors


def _validate_versions(versions: list[str], path: str) -> list[FieldError]:
    if not versions:
        return [required(path, "must specify one of v1, v1beta1")]
    if not any(version in _REVIEW_VERSIONS for version in versions):
        return [invalid(path, versions, "must include at least one of v1, v1beta1")]
    return []
