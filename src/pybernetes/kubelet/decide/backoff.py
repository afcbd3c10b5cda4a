"""Back-off of crashing containers and failing image pulls: 10 s, doubling to 300 s, forgotten after 600 s of peace."""

from __future__ import annotations

from dataclasses import dataclass

from pybernetes.kubelet.decide.times import SECOND

INITIAL = 10 * SECOND
LIMIT = 300 * SECOND


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait after an event, and when that was last decided; nanoseconds."""

    wait: int
    decided_at: int

    def holds_until(self, event: int) -> int:
        """When the wait that follows an event ends; 0 when this back-off is too old to count."""
        if event - self.decided_at > 2 * LIMIT:
            return 0
        return event + self.wait


def following(last: BackOff | None, event: int, now: int) -> BackOff:
    """The back-off to keep when one more attempt is made after `event`."""
    if last is None or event - last.decided_at > 2 * LIMIT:
        return BackOff(INITIAL, now)
    return BackOff(min(last.wait * 2, LIMIT), now)
