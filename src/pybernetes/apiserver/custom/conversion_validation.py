"""What the conversion of a CustomResourceDefinition's versions must be, in upstream's words. Pure.

A spec goes in, what is wrong with how its objects are converted comes out. Called by `definition_validation`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from pybernetes.api.names import dns1035_label
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.apiextensions_v1 import (
    CustomResourceDefinition,
    CustomResourceDefinitionSpec,
    WebhookClientConfig,
    WebhookConversion,
)
from pybernetes.apiserver.custom.demands import REVIEW_VERSIONS, Demands
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.webhook_clients import bundle_problem, client_errors

_PATH = "spec.conversion"
_NO_WEBHOOK = "should not be set when strategy is not set to Webhook"


def conversion_errors(spec: CustomResourceDefinitionSpec, demands: Demands) -> Iterator[FieldError]:
    """What is wrong with how a definition's objects are converted."""
    conversion = spec.conversion
    if conversion is None:
        return
    if not conversion.strategy:
        yield required(f"{_PATH}.strategy")
    elif conversion.strategy not in ("None", "Webhook"):
        yield not_supported(f"{_PATH}.strategy", conversion.strategy, ("None", "Webhook"))
    webhook = conversion.webhook or WebhookConversion()
    if conversion.strategy == "Webhook":
        yield from _client_errors(webhook.client_config, demands)
        yield from _version_errors(webhook.conversion_review_versions, demands)
        return
    if webhook.client_config is not None:
        yield forbidden_field(f"{_PATH}.webhookClientConfig", _NO_WEBHOOK)
    if webhook.conversion_review_versions:
        yield forbidden_field(f"{_PATH}.conversionReviewVersions", _NO_WEBHOOK)


def _client_errors(client: WebhookClientConfig | None, demands: Demands) -> Iterator[FieldError]:
    path = f"{_PATH}.webhookClientConfig"
    if client is None:
        yield required(path, "required when strategy is set to Webhook")
        return
    yield from client_errors(client, path)
    if client.ca_bundle and demands.valid_certificates and (problem := bundle_problem(client.ca_bundle)):
        yield invalid(f"{path}.caBundle", base64.b64encode(client.ca_bundle).decode(), problem)


def _version_errors(versions: Sequence[str], demands: Demands) -> Iterator[FieldError]:
    path = f"{_PATH}.conversionReviewVersions"
    if not versions:
        yield required(path)
        return
    again = repeated(versions)
    for index, version in enumerate(versions):
        if index in again:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        for problem in dns1035_label(version):
            yield invalid(f"{path}[{index}]", version, problem)
    if demands.review_version and not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(path, list(versions), f"must include at least one of {', '.join(REVIEW_VERSIONS)}")


def asks_for_review_version(old: CustomResourceDefinition) -> bool:
    """Whether the server can read what the webhook of the former definition answers, if it has one."""
    webhook = old.spec.conversion.webhook if old.spec.conversion is not None else None
    versions = webhook.conversion_review_versions if webhook is not None else []
    return not versions or bool(set(versions) & set(REVIEW_VERSIONS))


def asks_for_certificates(old: CustomResourceDefinition) -> bool:
    """Whether a webhook's certificates must be such: once a definition is established, unless they were not before."""
    if not any(item.type == "Established" and item.status == "True" for item in old.status.conditions):
        return False
    webhook = old.spec.conversion.webhook if old.spec.conversion is not None else None
    client = webhook.client_config if webhook is not None else None
    return client is None or not client.ca_bundle or not bundle_problem(client.ca_bundle)
