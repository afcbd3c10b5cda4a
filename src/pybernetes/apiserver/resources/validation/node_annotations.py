"""Rules for what was said of nodes in annotations before it had fields: taints, and pods that would rather not come.

Called by the rules for nodes with their annotations; clients of old may still write them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pybernetes.api.json_syntax import syntax_error
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.types.core_v1 import Taint

_TAINTS, _AVOID = "scheduler.alpha.kubernetes.io/taints", "scheduler.alpha.kubernetes.io/preferAvoidPods"
_PATH = "metadata.annotations"


def validate_node_annotations(
    annotations: Mapping[str, str], validate_taints: Callable[[list[Taint], str], list[FieldError]]
) -> list[FieldError]:
    """`validate_taints` are the rules for the field that followed."""
    errors: list[FieldError] = []
    if taints := annotations.get(_TAINTS):
        try:
            errors += validate_taints(msgspec.json.decode(taints, type=list[Taint]), f"{_PATH}.{_TAINTS}")
        except msgspec.DecodeError as error:
            errors.append(_unreadable(_PATH, _TAINTS, taints, error))
    if avoided := annotations.get(_AVOID):
        try:
            entries = json.loads(avoided).get("preferAvoidPods") or []
            for index, entry in enumerate(entries):
                errors += _validate_signature(entry["podSignature"], f"{_PATH}.{_AVOID}[{index}].PodSignature")
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
            errors.append(_unreadable(f"{_PATH}.AvoidPods", _AVOID, avoided, error))
    return errors


def _unreadable(path: str, key: str, text: str, error: Exception) -> FieldError:
    return invalid(path, key, syntax_error(text.encode()) or str(error))


def _validate_signature(signature: Mapping[str, Any], path: str) -> list[FieldError]:
    controller = signature.get("podController")
    if controller is None:
        return [required(path)]
    if controller.get("controller"):
        return []
    return [invalid(f"{path}.PodController.Controller", False, "must point to a controller")]
