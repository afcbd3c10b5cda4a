"""Rules for conditions as most kinds keep them in their status: typed, dated, with a reason, and of each type one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pybernetes.api.names import regex_error
from pybernetes.api.status import FieldError, duplicate, invalid, required
from pybernetes.api.types.meta_v1 import Condition
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.metadata import label_key
from pybernetes.apiserver.resources.validation.texts import no_longer, one_of, required_text

CONDITION_STATUSES = ("False", "True", "Unknown")
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
    again = repeated(condition.type for condition in conditions)
    for index, condition in enumerate(conditions):
        where = f"{path}[{index}]"
        if index in again:
            errors.append(duplicate(f"{where}.type", condition.type))
        errors += _validate_condition(condition, where)
    return errors


def _validate_condition(condition: Condition, path: str) -> list[FieldError]:
    errors = required_text(condition.type, label_key, f"{path}.type")
    errors += one_of(condition.status, CONDITION_STATUSES, f"{path}.status")
    if (condition.observed_generation or 0) < 0:
        detail = "must be greater than or equal to zero"
        errors.append(invalid(f"{path}.observedGeneration", condition.observed_generation, detail))
    if not condition.last_transition_time:
        errors.append(required(f"{path}.lastTransitionTime"))
    errors += no_longer(condition.reason, _REASON_LIMIT, f"{path}.reason")
    if not condition.reason:
        errors.append(required(f"{path}.reason"))
    elif not _reason.fullmatch(condition.reason):
        errors.append(invalid(f"{path}.reason", condition.reason, _BAD_REASON))
    return errors + no_longer(condition.message, _MESSAGE_LIMIT, f"{path}.message")
