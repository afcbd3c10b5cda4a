"""Rules for conditions as most kinds keep them in their status: typed, dated, with a reason, and of each type one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pybernetes.api.names import regex_error
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.meta_v1 import Condition
from pybernetes.apiserver.resources.validation.lists import no_twins, too_long
from pybernetes.apiserver.resources.validation.metadata import label_key

_STATUSES = ("False", "True", "Unknown")
_REASON_LIMIT = 1024
_MESSAGE_LIMIT = 32768
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_reason = re.compile(_REASON)
_BAD_REASON = regex_error(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON,
    "my_name",
    "MY_NAME",
    "MyName",
    "ReasonA,ReasonB",
    "ReasonA:ReasonB",
)


def validate_conditions(conditions: Sequence[Condition], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    twins = no_twins((condition.type for condition in conditions), path, ".type")
    for index, condition in enumerate(conditions):
        where = f"{path}[{index}]"
        errors += [error for error in twins if error.field == f"{where}.type"]
        errors += _validate_condition(condition, where)
    return errors


def _validate_condition(condition: Condition, path: str) -> list[FieldError]:
    if not condition.type:
        errors = [required(f"{path}.type")]
    else:
        errors = [invalid(f"{path}.type", condition.type, text) for text in label_key(condition.type)]
    if condition.status not in _STATUSES:
        errors.append(not_supported(f"{path}.status", condition.status, _STATUSES))
    if (condition.observed_generation or 0) < 0:
        detail = "must be greater than or equal to zero"
        errors.append(invalid(f"{path}.observedGeneration", condition.observed_generation, detail))
    if not condition.last_transition_time:
        errors.append(required(f"{path}.lastTransitionTime"))
    if len(condition.reason) > _REASON_LIMIT:
        errors.append(too_long(f"{path}.reason", _REASON_LIMIT))
    if not condition.reason:
        errors.append(required(f"{path}.reason"))
    elif not _reason.fullmatch(condition.reason):
        errors.append(invalid(f"{path}.reason", condition.reason, _BAD_REASON))
    if len(condition.message) > _MESSAGE_LIMIT:
        errors.append(too_long(f"{path}.message", _MESSAGE_LIMIT))
    return errors
