"""The rules of a kind as one value: for creates, for updates, for writes of the status, and for names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pybernetes.api.names import dns1123_subdomain
from pybernetes.api.status import FieldError
from pybernetes.apiserver.resources.validation.metadata import NameRule


def _nothing_to_say(*_objects: Any) -> list[FieldError]:
    return []


@dataclass(frozen=True)
class Rules:
    """What is particular to one kind; the rules for metadata come before these."""

    create: Callable[[Any], list[FieldError]] = _nothing_to_say
    update: Callable[[Any, Any], list[FieldError]] = _nothing_to_say
    status: Callable[[Any, Any], list[FieldError]] = _nothing_to_say
    name: NameRule = dns1123_subdomain


def always(
    create: Callable[[Any], list[FieldError]],
    name: NameRule = dns1123_subdomain,
    status: Callable[[Any, Any], list[FieldError]] = _nothing_to_say,
) -> Rules:
    """For kinds whose updates obey the rules for creates and no others."""

    def update(new: Any, _old: Any) -> list[FieldError]:
        return create(new)

    return Rules(create, update, status, name)
