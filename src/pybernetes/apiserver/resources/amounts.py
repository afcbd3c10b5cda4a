"""Quantities in the maps and fields of an object, rewritten in their canonical form as the API server answers them.

Called by the defaulting of each kind. A text that is no quantity raises ValueError with upstream's wording.
"""

from __future__ import annotations

from pybernetes.api.quantity import canonical, rounded_to_milli
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import ResourceRequirements, VolumeResourceRequirements


def canonicalize(amounts: dict[str, Quantity]) -> None:
    """Rewrites the amounts of a resource list in place; nothing finer than a thousandth is kept."""
    for name, amount in amounts.items():
        amounts[name] = rounded_to_milli(amount)


def canonical_or_none(amount: Quantity | None) -> str | None:
    """An optional quantity field in canonical form."""
    return None if amount is None else canonical(amount)


def canonicalize_requirements(resources: ResourceRequirements | VolumeResourceRequirements) -> None:
    """Rewrites limits and requests in place."""
    if resources.limits:
        canonicalize(resources.limits)
    if resources.requests:
        canonicalize(resources.requests)
