"""Rules for configurations of admission webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from pybernetes.api.names import dns1035_label, dns1123_subdomain, port_number
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import (
    MutatingWebhook,
    MutatingWebhookConfiguration,
    ServiceReference,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
    WebhookClientConfig,
)
from pybernetes.apiserver.resources.validation.admission_policies import validate_match_conditions
from pybernetes.apiserver.resources.validation.admission_rules import validate_rule
from pybernetes.apiserver.resources.validation.selectors import validate_selector

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
    names: set[str] = set()
    for index, webhook in enumerate(webhooks):
        path = f"webhooks[{index}]"
        errors += _validate_webhook(webhook, path, leave)
        errors += _validate_versions(webhook, f"{path}.admissionReviewVersions", leave)
        if webhook.name and webhook.name in names and not leave.names:
            errors.append(duplicate(f"{path}.name", webhook.name))
        names.add(webhook.name)
    return errors


def _validate_webhook(webhook: _Webhook, path: str, leave: _Leave) -> list[FieldError]:
    errors = _validate_name(webhook.name, f"{path}.name")
    for index, rule in enumerate(webhook.rules):
        errors += validate_rule(rule, f"{path}.rules[{index}]")
    for attribute, name, allowed in _POLICIES:
        given = getattr(webhook, attribute)
        if given not in allowed:
            errors.append(not_supported(f"{path}.{name}", given, allowed))
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
    if isinstance(webhook, MutatingWebhook) and webhook.reinvocation_policy not in (None, *_REINVOCATION):
        errors.append(not_supported(f"{path}.reinvocationPolicy", webhook.reinvocation_policy, _REINVOCATION))
    errors += _validate_client(webhook.client_config, f"{path}.clientConfig")
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


def _validate_client(client: WebhookClientConfig, path: str) -> list[FieldError]:
    if client.url is not None and client.service is None:
        return _validate_url(client.url, f"{path}.url")
    if client.service is not None and client.url is None:
        return _validate_service(client.service, f"{path}.service")
    return [required(path, "exactly one of url or service is required")]


def _validate_service(service: ServiceReference, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not service.name:
        errors.append(required(f"{path}.name", "service name is required"))
    if not service.namespace:
        errors.append(required(f"{path}.namespace", "service namespace is required"))
    port = 443 if service.port is None else service.port
    if problems := port_number(port):
        errors.append(invalid(f"{path}.port", port, f"port is not valid: {','.join(problems)}"))
    return errors + _validate_path(service.path or "", f"{path}.path")


def _validate_path(given: str, path: str) -> list[FieldError]:
    if given in ("", "/"):
        return []
    if given == "//":
        return [invalid(path, given, "segment[0] may not be empty")]
    errors = [] if given.startswith("/") else [invalid(path, given, "must start with a '/'")]
    # As upstream: the first character is passed over, whatever it is.
    for index, step in enumerate(given[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(invalid(path, given, f"segment[{index}] may not be empty"))
        else:
            errors += [invalid(path, given, f"segment[{index}]: {text}") for text in dns1123_subdomain(step)]
    return errors


def _validate_url(url: str, path: str) -> list[FieldError]:
    form = "; desired format: https://host[/path]"
    parts = urlsplit(url)
    errors: list[FieldError] = []
    if parts.scheme != "https":
        errors.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{form}"))
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        errors.append(invalid(path, "", f"host must be specified{form}"))
    if at:
        errors.append(invalid(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return errors


def _validate_versions(webhook: _Webhook, path: str, leave: _Leave) -> list[FieldError]:
    versions, wanted = webhook.admission_review_versions, ", ".join(_REVIEW_VERSIONS)
    if not versions:
        return [required(path, f"must specify one of {wanted}")]
    errors: list[FieldError] = []
    for index, version in enumerate(versions):
        where = f"{path}[{index}]"
        if version in versions[:index]:
            errors.append(invalid(where, version, "duplicate version"))
        else:
            errors += [invalid(where, version, text) for text in dns1035_label(version)]
    if not leave.versions and not _is_read(webhook):
        errors.append(invalid(path, versions, f"must include at least one of {wanted}"))
    return errors
