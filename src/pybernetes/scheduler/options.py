"""What can be set about a scheduler."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SchedulerOptions:
    """Names as in upstream's configuration."""

    scheduler_name: str = "default-scheduler"
    percentage_of_nodes_to_score: int = 0  # 0: adapts to the size of the cluster
    bindings_in_flight: int = 128  # requests to the API server at the same time
