"""What those who work hold on to and add to: a series of requests, a timing, counts of events.

Adding costs a few operations on dicts and lists. `Metrics` gives them out, and the families of /metrics read them.
"""

from __future__ import annotations

from bisect import bisect_left

REQUEST_BOUNDS = (
    *(0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5),
    *(2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
SIZE_BOUNDS = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_FIRST_SECONDS, _FIRST_SIZE = REQUEST_BOUNDS[0], SIZE_BOUNDS[0]
# Of authentication and authorization.
DECISION_BOUNDS = tuple(0.001 * 2**power for power in range(15))
ADMISSION_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
EVENT_BOUNDS = tuple(1024.0 * 2**power for power in range(8))
# A plug-in ("" for all together), the operation, and admit or validate.
AdmissionCall = tuple[str, str, str]


class Timing:
    """A histogram."""

    __slots__ = ("_first", "bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self._first = bounds[0]

    def add(self, value: float, times: int = 1) -> None:
        # Nearly all values fall into the first bucket.
        self.counts[0 if value <= self._first else bisect_left(self.bounds, value)] += times
        self.total += value * times


class Repeats:
    """Writes that were admitted as one before them, without anybody being asked: the calls spared, and how often."""

    __slots__ = ("calls", "count")

    def __init__(self, calls: tuple[AdmissionCall, ...]) -> None:
        self.calls = calls
        self.count = 0


class RequestSeries:
    """The requests of one label set: how many by code, how long they took, how large the answers to reads were."""

    __slots__ = ("codes", "dry_run", "labels", "open", "sizes", "terminations", "times")

    def __init__(self, labels: dict[str, str], dry_run: str) -> None:
        # All of upstream's but `dry_run` and `code`.
        self.labels = labels
        self.dry_run = dry_run
        self.codes: dict[int, int] = {}
        self.times = Timing(REQUEST_BOUNDS)
        self.sizes = Timing(SIZE_BOUNDS) if labels["verb"] in ("GET", "LIST") else None
        # Long-running requests that have not ended.
        self.open = 0
        # Requests that were ended in self-defence, by code.
        self.terminations: dict[int, int] = {}

    def add(self, code: int, seconds: float, size: int) -> None:
        """A request has ended."""
        codes = self.codes
        codes[code] = codes.get(code, 0) + 1
        # What `Timing.add` does, without the call: this is for every request there is.
        times, sizes = self.times, self.sizes
        times.counts[0 if seconds <= _FIRST_SECONDS else bisect_left(REQUEST_BOUNDS, seconds)] += 1
        times.total += seconds
        if sizes is not None:
            sizes.counts[0 if size <= _FIRST_SIZE else bisect_left(SIZE_BOUNDS, size)] += 1
            sizes.total += size

    def terminated(self, code: int) -> None:
        self.terminations[code] = self.terminations.get(code, 0) + 1


class EventCounts:
    """What watches of one resource were sent."""

    __slots__ = ("dispatched", "initial", "resource", "sizes", "terminated")

    def __init__(self, group: str, version: str, resource: str) -> None:
        self.resource = (group, version, resource)
        self.sizes = Timing(EVENT_BOUNDS)
        # Events of the states that watches began with.
        self.initial = 0
        self.dispatched = 0
        # Watches that were closed since their clients did not read.
        self.terminated = 0

    def began(self, events: int, size: int) -> None:
        """A watch was sent a part of the state that it begins with."""
        if events:
            self.initial += events
            self.sizes.add(size / events, events)

    def sent(self, events: int, size: int, watches: int) -> None:
        """Some events, `size` bytes in all, went to each of some watches."""
        if events:
            self.dispatched += events
            self.sizes.add(size / events, events * watches)
