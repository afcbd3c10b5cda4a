"""The priority levels and flow schemas that every cluster has, and the specs of those that nobody may change.

The table beside this module goes in, objects come out. Called for the start-up objects and by the rules for writes.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from pybernetes.api.types.flowcontrol_v1 import (
    FlowSchema,
    FlowSchemaSpec,
    PriorityLevelConfiguration,
    PriorityLevelConfigurationSpec,
)

AUTO_UPDATE_SPEC = "apf.kubernetes.io/autoupdate-spec"
# Of both kinds.
MANDATORY = ("exempt", "catch-all")
_SECTIONS = {PriorityLevelConfiguration: "prioritylevelconfigurations", FlowSchema: "flowschemas"}


def flow_control() -> list[PriorityLevelConfiguration | FlowSchema]:
    """All of them, the levels first."""
    found: list[PriorityLevelConfiguration | FlowSchema] = []
    for type_, section in _SECTIONS.items():
        for name, spec in _table()[section].items():
            meta = {"name": name, "generation": 1, "annotations": {AUTO_UPDATE_SPEC: "true"}}
            found.append(msgspec.convert({"metadata": meta, "spec": spec}, type_))
    return found


@cache
def mandatory_spec(
    type_: type[FlowSchema | PriorityLevelConfiguration], name: str
) -> FlowSchemaSpec | PriorityLevelConfigurationSpec:
    """What the object of one of the `MANDATORY` names says; shared, not to be changed."""
    return msgspec.convert({"spec": _table()[_SECTIONS[type_]][name]}, type_).spec


def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads(
        resources.files(__package__).joinpath("flow_control.json").read_text()
    )
    return table
