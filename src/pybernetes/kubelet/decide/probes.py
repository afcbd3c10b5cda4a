"""From single probe results to a finding: so many failures or successes in a row turn it over. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pybernetes.api.types.core_v1 import Probe


@dataclass(frozen=True, slots=True)
class Tally:
    """Equal results in a row."""

    success: bool = False
    count: int = 0


def tallied(tally: Tally, success: bool) -> Tally:
    if tally.count and tally.success == success:
        return Tally(success, tally.count + 1)
    return Tally(success, 1)


def finding(probe: Probe, tally: Tally) -> bool | None:
    """True or False when the threshold is reached; None as long as the earlier finding holds."""
    threshold = (probe.success_threshold or 1) if tally.success else (probe.failure_threshold or 3)
    return tally.success if tally.count >= threshold else None


def period(probe: Probe) -> float:
    return float(probe.period_seconds or 10)


def timeout(probe: Probe) -> float:
    return float(probe.timeout_seconds or 1)
