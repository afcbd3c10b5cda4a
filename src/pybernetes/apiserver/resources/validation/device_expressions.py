"""What is wrong with an expression in CEL that chooses devices: it does not compile, or could cost too much. Pure.

An expression goes in, an error of its field comes out, or none. Called by `devices`. CEL is imported when the first
expression comes: few clusters see one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pybernetes.api.status import FieldError, forbidden_field, invalid

if TYPE_CHECKING:
    from pybernetes.cel import Environment
    from pybernetes.cel.ranges import Path, Range

_MOST_COST = 1_000_000
# How large what a slice says of a device can be: characters of names and values, entries of maps.
_DOMAIN, _IDENTIFIER, _VALUE, _DRIVER, _ENTRIES = 63, 32, 64, 63, 32


def expression_errors(text: str, path: str) -> list[FieldError]:
    """What keeps an expression from being accepted."""
    from pybernetes.cel import CompileError, types
    from pybernetes.cel.estimates import estimate

    try:
        program = _environment().compile(text)
    except CompileError as error:
        return [invalid(path, text, f"compilation failed: {error}")]
    if program.result not in (types.BOOL, types.ANY):
        return [invalid(path, text, f"must evaluate to bool or the unknown type, not {program.result}")]
    if estimate(program.checked, _size).most > _MOST_COST:
        return [forbidden_field(path, "too complex, exceeds cost limit")]
    return []


@cache
def _environment() -> Environment:
    from pybernetes.cel import Environment, types
    from pybernetes.cel.library.quantities import Quantity
    from pybernetes.cel.macros import BINDINGS, MACROS

    def features(value: types.Type) -> types.Type:
        """By domain, then by name."""
        return types.map_of(types.STRING, types.map_of(types.STRING, value))

    fields = {
        "driver": types.STRING,
        "attributes": features(types.ANY),
        "capacity": features(types.opaque(Quantity.type_name)),
        "allowMultipleAllocations": types.BOOL,
    }
    device = types.object_type("kubernetes.DRADevice", fields)
    return Environment({"device": device}, macros={**MACROS, **BINDINGS})


def _size(path: Path) -> Range | None:
    """How large the values at a path can be; None where that is not known."""
    from pybernetes.cel.ranges import Range

    most = _most(path)
    return None if most is None else Range(0, most)


def _most(path: Path) -> int | None:
    if path[:2] == ("device", "driver") and len(path) == 2:
        return _DRIVER
    if path[0] != "device" or len(path) < 2 or path[1] not in ("attributes", "capacity"):
        return None
    steps, value = path[2:], _VALUE if path[1] == "attributes" else 0
    if len(steps) == 1 and steps[0] == "@keys":
        return _DOMAIN
    if len(steps) <= 1:
        return _ENTRIES if steps in ((), ("@values",)) else None
    if len(steps) != 2 or steps[0] != "@values":
        return None
    if steps[1] == "@keys":
        return _IDENTIFIER
    # Attributes may be read as fields of their domain.
    return value if steps[1] == "@values" or path[1] == "attributes" else None
