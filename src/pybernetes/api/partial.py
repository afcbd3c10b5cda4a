"""Objects of which only the metadata is known: kinds that a program learns of while it runs, such as custom resources.

A definition's names come in; out comes a `Kind` row whose type carries the row itself, so that clients and informers
take it like any other. The client asks for such types as PartialObjectMetadata.
"""

from __future__ import annotations

from typing import ClassVar, cast

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition

METADATA_ONLY = "as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"


class PartialObject(ApiObject, kw_only=True):
    """The base of the types that `partial_kind` makes; each has a row of its own."""

    row: ClassVar[Kind]


def partial_kind(group: str, version: str, resource: str, name: str, *, namespaced: bool) -> Kind:
    """The row of a kind of which nothing but these is known, with a type made for it."""
    made = msgspec.defstruct(name, [], bases=(PartialObject,), module=__name__, kw_only=True, rename="camel", gc=False)
    type_ = cast("type[PartialObject]", made)
    type_.row = Kind(group, version, resource, type_, namespaced=namespaced)
    return type_.row


def custom_kind(definition: CustomResourceDefinition) -> Kind | None:
    """The row by which a definition's objects can be reached: in the stored version if it is served, else in the first
    one that is; None as long as its names are not established.
    """
    if not any(item.type == "Established" and item.status == "True" for item in definition.status.conditions):
        return None
    served = [version for version in definition.spec.versions if version.served]
    if not served:
        return None
    chosen = next((version for version in served if version.storage), served[0])
    names = definition.status.accepted_names
    namespaced = definition.spec.scope == "Namespaced"
    return partial_kind(definition.spec.group, chosen.name, names.plural, names.kind, namespaced=namespaced)
