"""How kube-proxy is doing: what was asked, what was done, what failed. Health and metrics are told from it."""

from __future__ import annotations

from datetime import datetime

from pybernetes.environment.clock import Clock

# News that has waited so many seconds means that the loop is stuck: twice upstream's sync period.
STUCK = 60.0


class Progress:
    """Counters and times of one proxy."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting_since: float | None = None
        self.last_synced: datetime | None = None
        self.syncs = 0
        self.failures = 0
        self.seconds = 0.0

    def queued(self) -> None:
        """There is news."""
        if self._waiting_since is None:
            self._waiting_since = self._clock.monotonic()

    def synced(self, seconds: float) -> None:
        """All news is dealt with."""
        self._waiting_since = None
        self.last_synced = self._clock.now()
        self.syncs += 1
        self.seconds += seconds

    def now(self) -> datetime:
        return self._clock.now()

    def failed(self) -> None:
        self.failures += 1

    @property
    def healthy(self) -> bool:
        """Whether it has worked once and nothing has waited for too long since."""
        if self.last_synced is None:
            return False
        return self._waiting_since is None or self._clock.monotonic() - self._waiting_since < STUCK

    def metrics(self) -> str:
        """In Prometheus' text format, with upstream's names."""
        last = self.last_synced.timestamp() if self.last_synced else 0.0
        return (
            "# TYPE kubeproxy_sync_proxy_rules_duration_seconds summary\n"
            f"kubeproxy_sync_proxy_rules_duration_seconds_sum {self.seconds:.6f}\n"
            f"kubeproxy_sync_proxy_rules_duration_seconds_count {self.syncs}\n"
            "# TYPE kubeproxy_sync_proxy_rules_last_timestamp_seconds gauge\n"
            f"kubeproxy_sync_proxy_rules_last_timestamp_seconds {last:.3f}\n"
            "# TYPE kubeproxy_sync_proxy_rules_iptables_restore_failures_total counter\n"
            f"kubeproxy_sync_proxy_rules_iptables_restore_failures_total {self.failures}\n"
        )
