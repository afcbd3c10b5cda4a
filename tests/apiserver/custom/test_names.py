"""Names that definitions of one group compete for, and what clients of a version are told of the others."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.types.apiextensions_v1 import (
    CustomResourceDefinition,
    CustomResourceDefinitionCondition,
    CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec,
    CustomResourceDefinitionStatus,
    CustomResourceDefinitionVersion,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.custom.names import status_of
from pybernetes.apiserver.custom.rows import rows_of
from pybernetes.apiserver.custom.rules import rules_of


def held_names(name: str, *short: str, **names: str) -> CustomResourceDefinition:
    """A definition whose names are accepted."""
    accepted = CustomResourceDefinitionNames(plural=name, short_names=list(short), **names)  # type: ignore[arg-type]
    return CustomResourceDefinition(
        metadata=ObjectMeta(name=f"{name}.a.com"),
        spec=CustomResourceDefinitionSpec(group="a.com", names=CustomResourceDefinitionNames(plural=name)),
        status=CustomResourceDefinitionStatus(accepted_names=accepted),
    )


@pytest.mark.parametrize(
    ("other", "reason", "message", "kept"),
    [
        (held_names("xs"), "NoConflicts", "no conflicts found", ("as", "a", "A", "AList", ["s", "t"])),
        (
            held_names("xs", singular="as"),
            "PluralConflict",
            '"as" is already in use',
            ("", "a", "A", "AList", ["s", "t"]),
        ),
        (held_names("xs", "a"), "SingularConflict", '"a" is already in use', ("as", "", "A", "AList", ["s", "t"])),
        (
            held_names("xs", "s", "t"),
            "ShortNamesConflict",
            '["s" is already in use, "t" is already in use]',
            ("as", "a", "A", "AList", []),
        ),
        (held_names("xs", "t", list_kind="A"), "KindConflict", '"A" is already in use', ("as", "a", "", "AList", [])),
        (
            held_names("xs", kind="AList"),
            "ListKindConflict",
            '"AList" is already in use',
            ("as", "a", "A", "", ["s", "t"]),
        ),
        (held_names("xs", singular="A"), "NoConflicts", "no conflicts found", ("as", "a", "A", "AList", ["s", "t"])),
    ],
)
def test_names_that_are_free_are_accepted(
    other: CustomResourceDefinition, reason: str, message: str, kept: tuple[Any, ...]
) -> None:
    wanted = held_names("as")
    wanted.status = CustomResourceDefinitionStatus()
    wanted.spec.names = CustomResourceDefinitionNames(
        plural="as", singular="a", kind="A", list_kind="AList", short_names=["s", "t"]
    )
    status = status_of(wanted, [other, wanted], "now")
    told = next(item for item in status.conditions if item.type == "NamesAccepted")
    accepted = status.accepted_names
    assert (told.reason, told.message) == (reason, message)
    assert kept == (
        accepted.plural,
        accepted.singular or "",
        accepted.kind,
        accepted.list_kind or "",
        accepted.short_names,
    )


def test_a_deprecated_version_points_to_the_best_newer_one() -> None:
    def warnings(*versions: tuple[str, bool, bool]) -> dict[str, str]:
        definition = held_names("as", kind="A")
        definition.status.conditions = [CustomResourceDefinitionCondition(type="Established", status="True")]
        definition.spec.versions = [
            CustomResourceDefinitionVersion(name=name, served=served, deprecated=old, storage=not index)
            for index, (name, served, old) in enumerate(versions)
        ]
        rows = rows_of(definition)
        assert rows is not None
        return {row.version: rules_of(row.type).deprecation for row in rows.served}  # type: ignore[arg-type]

    found = warnings(("v1beta1", True, True), ("v1beta2", True, False), ("v1", True, False), ("v2", False, False))
    assert found["v1beta1"] == "a.com/v1beta1 A is deprecated; use a.com/v1 A"
    assert found["v1"] == ""
    found = warnings(("v2", True, True), ("v1", True, False), ("v3alpha1", True, False), ("v4", True, True))
    assert found["v2"] == "a.com/v2 A is deprecated"
