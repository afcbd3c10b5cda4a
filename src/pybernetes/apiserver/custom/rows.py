"""A CustomResourceDefinition as rows of kinds, one a version, so that the pipeline treats them as it treats Pods. Pure.

A definition goes in; `Kind`s come out whose types carry their rules. Called by `resources` at every change.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from pybernetes.api.kind import ALL_VERBS, Kind, Subresource
from pybernetes.api.objects import CustomObject, to_builtins
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition, CustomResourceDefinitionVersion
from pybernetes.apiserver.custom.columns import printer
from pybernetes.apiserver.custom.numbers import plain
from pybernetes.apiserver.custom.rules import VersionRules
from pybernetes.apiserver.custom.strategy import strategy

_WHILE_TERMINATING = ALL_VERBS - {"create"}
_SCALE = ("autoscaling", "v1", "Scale")


@dataclass(frozen=True)
class Rows:
    """The rows of one definition: those that are served, and the one that its objects are stored as."""

    served: tuple[Kind, ...]
    stored: Kind


def condition(definition: CustomResourceDefinition, type_: str) -> bool:
    """Whether a condition is True."""
    return any(item.type == type_ and item.status == "True" for item in definition.status.conditions)


def fingerprint(definition: CustomResourceDefinition) -> bytes:
    """What the rows depend on: as long as it stays, so do they."""
    flags = [condition(definition, type_) for type_ in ("Established", "Terminating")]
    return msgspec.json.encode([definition.spec, definition.status.accepted_names, flags])


def rows_of(definition: CustomResourceDefinition) -> Rows | None:
    """The rows of a definition; None as long as its names are not accepted."""
    if not condition(definition, "Established"):
        return None
    rows = {version.name: _row(definition, version) for version in definition.spec.versions}
    stored = next((rows[version.name] for version in definition.spec.versions if version.storage), None)
    if stored is None:
        return None
    served = tuple(rows[version.name] for version in definition.spec.versions if version.served)
    selected = tuple({field: None for row in rows.values() for field in _rules(row).selectable})
    for row in rows.values():
        _rules(row).stored = stored
        _rules(row).selected = selected
        _rules(row).versions = {sibling.api_version: sibling for sibling in served}
    return Rows(tuple(sorted(served, key=lambda row: version_order(row.version))), stored)


def _rules(row: Kind) -> VersionRules:
    type_: Any = row.type
    rules: VersionRules = type_.rules
    return rules


def _row(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion) -> Kind:
    names, group = definition.status.accepted_names, definition.spec.group
    children = []
    if version.subresources is not None and version.subresources.status is not None:
        children.append(Subresource("status"))
    if version.subresources is not None and version.subresources.scale is not None:
        children.append(Subresource("scale", body=_SCALE))
    return Kind(
        group=group,
        version=version.name,
        resource=names.plural,
        type=_type(definition, version),
        singular=names.singular or "",
        namespaced=definition.spec.scope == "Namespaced",
        verbs=_WHILE_TERMINATING if condition(definition, "Terminating") else ALL_VERBS,
        short_names=tuple(names.short_names),
        categories=tuple(names.categories),
        subresources=tuple(children),
        storage_version_hash=_hash(definition),
        list_kind=names.list_kind or f"{names.kind}List",
    )


def _type(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion) -> type[CustomObject]:
    """A type of its own for every version of every state of a definition."""
    names, group = definition.status.accepted_names, definition.spec.group
    schema = version.schema.open_apiv3_schema if version.schema is not None else None
    children = version.subresources
    rules = VersionRules(
        group=group,
        version=version.name,
        kind=names.kind,
        namespaced=definition.spec.scope == "Namespaced",
        schema=plain(to_builtins(schema)) if schema is not None else {"x-kubernetes-preserve-unknown-fields": True},
        has_status=children is not None and children.status is not None,
        scale=children.scale if children is not None else None,
        printer=printer(version.additional_printer_columns),
        deprecation=_deprecation(definition, version),
        selectable=tuple(field.json_path.removeprefix(".") for field in version.selectable_fields),
    )
    rules.strategy = strategy(rules)
    fields = [("kind", str, names.kind), ("api_version", str, f"{group}/{version.name}")]
    made = msgspec.defstruct(
        names.kind,
        fields,
        bases=(CustomObject,),
        namespace={"rules": rules},
        module=__name__,
        kw_only=True,
        rename="camel",
        gc=False,
    )
    return cast(type[CustomObject], made)


def _deprecation(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion) -> str:
    """What clients of a deprecated version are told; it names the best newer version, if there is one."""
    if not version.deprecated:
        return ""
    group, kind = definition.spec.group, definition.status.accepted_names.kind
    order = version_order(version.name)
    newer = [other.name for other in definition.spec.versions if other.served and not other.deprecated]
    best = min((name for name in newer if version_order(name) < order), key=version_order, default="")
    instead = f"; use {group}/{best} {kind}" if best else ""
    return version.deprecation_warning or f"{group}/{version.name} {kind} is deprecated{instead}"


def _hash(definition: CustomResourceDefinition) -> str:
    """Clients compare it to see that objects are stored in another version than before."""
    stored = next((version.name for version in definition.spec.versions if version.storage), "")
    text = f"{definition.spec.group}/{stored}/{definition.status.accepted_names.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as discovery lists them: v2, v1, v1beta1, v1alpha1, then all others by name."""
    digits, _, rest = version.removeprefix("v").partition("beta") if "beta" in version else (version[1:], "", "")
    stage = 1 if rest else 0
    if "alpha" in version:
        digits, _, rest = version[1:].partition("alpha")
        stage = 2
    if not version.startswith("v") or not digits.isdigit() or (stage and not rest.isdigit()):
        return (3, 0, 0, version)
    return (stage, -int(digits), -int(rest or 0), version)
