"""Strategies of CustomResourceDefinitions and APIServices: how the API is extended."""

from __future__ import annotations

from pybernetes.api.types.apiextensions_v1 import CustomResourceConversion, CustomResourceDefinition
from pybernetes.api.types.apiregistration_v1 import APIService
from pybernetes.apiserver.aggregation.registration import local_condition
from pybernetes.apiserver.resources.prepare import (
    clear_status,
    clear_status_and_count,
    keep_status,
    keep_status_and_count,
    only_status,
    only_status_and_its_metadata,
)
from pybernetes.apiserver.resources.strategy import Asker, Strategy


def _default_definition(definition: CustomResourceDefinition) -> None:
    """The names that follow from the kind, and no conversion."""
    spec = definition.spec
    names = spec.names
    names.singular = names.singular or names.kind.lower() or None
    if not names.list_kind and names.kind:
        names.list_kind = names.kind + "List"
    spec.conversion = spec.conversion or CustomResourceConversion(strategy="None")
    webhook = spec.conversion.webhook
    if webhook is not None and webhook.client_config is not None and webhook.client_config.service is not None:
        service = webhook.client_config.service
        service.port = 443 if service.port is None else service.port
    spec.preserve_unknown_fields = spec.preserve_unknown_fields or None
    if not definition.status.stored_versions:
        definition.status.stored_versions = [version.name for version in spec.versions if version.storage]


def _prepare_definition(definition: CustomResourceDefinition) -> None:
    clear_status_and_count(definition)
    definition.status.stored_versions = [version.name for version in definition.spec.versions if version.storage]


def _prepare_definition_update(new: CustomResourceDefinition, old: CustomResourceDefinition) -> None:
    """A version once stored stays listed until an administrator has migrated its objects."""
    keep_status_and_count(new, old)
    stored = [version.name for version in new.spec.versions if version.storage]
    missing = [name for name in stored if name not in new.status.stored_versions]
    if missing:
        status = new.status
        new.status = type(status)(
            accepted_names=status.accepted_names,
            conditions=status.conditions,
            observed_generation=status.observed_generation,
            stored_versions=[*status.stored_versions, *missing],
        )


def _default_api_service(service: APIService) -> None:
    if service.spec.service is not None and service.spec.service.port is None:
        service.spec.service.port = 443
    service.spec.insecure_skip_tls_verify = service.spec.insecure_skip_tls_verify or None


def _stamp_api_service(new: APIService, old: APIService | None, _asker: Asker, now: str) -> None:
    """What this server serves itself is available from the start."""
    if old is None and new.spec.service is None:
        new.status.conditions = [local_condition(now)]


CUSTOM_RESOURCE_DEFINITION = Strategy(
    default=_default_definition,
    prepare_create=_prepare_definition,
    prepare_update=_prepare_definition_update,
    prepare_status=only_status,
    unconditional_update=False,
)
API_SERVICE = Strategy(
    default=_default_api_service,
    prepare_create=clear_status,
    prepare_update=keep_status,
    prepare_status=only_status_and_its_metadata,
    stamp=_stamp_api_service,
    unconditional_update=False,
)
