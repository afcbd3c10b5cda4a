"""What was timed and measured, as the histograms of /metrics. Pure; called by the families."""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.apiserver.diagnostics.exposition import Distribution
from pybernetes.apiserver.diagnostics.series import Timing


def shown(*timings: Timing) -> Distribution:
    """One or several of the same bounds as one."""
    counts = [sum(column) for column in zip(*(timing.counts for timing in timings), strict=True)]
    return Distribution(timings[0].bounds, counts, sum(timing.total for timing in timings))


def coarser(timings: Iterable[Timing]) -> Distribution:
    """Without the two finest buckets."""
    fine = shown(*timings)
    return Distribution(fine.bounds[2:], [sum(fine.counts[:3]), *fine.counts[3:]], fine.total)
