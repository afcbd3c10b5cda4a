"""The families of /metrics about the store, what is in it, and the watches that follow it."""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.apiserver.diagnostics.distributions import shown
from pybernetes.apiserver.diagnostics.exposition import Family, labels
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.registry import Registry

_STORE = "embedded"


def store_families(metrics: Metrics, registry: Registry) -> Iterator[Family]:
    """All that is told of the store and of watches."""
    yield from _calls(metrics)
    yield from _contents(registry)
    yield from _watches(metrics)


def _calls(metrics: Metrics) -> Iterator[Family]:
    times = {
        labels(operation=operation, group=group, resource=resource): timing
        for (operation, group, resource), timing in metrics.storage.items()
    }
    yield Family(
        "etcd_request_duration_seconds",
        "histogram",
        "[ALPHA] Etcd request latency in seconds for each operation and object type.",
        {named: shown(timing) for named, timing in times.items()},
    )
    yield Family(
        "etcd_requests_total",
        "counter",
        "[ALPHA] Etcd request counts for each operation and object type.",
        {named: sum(timing.counts) for named, timing in times.items()},
    )
    yield Family(
        "etcd_request_errors_total",
        "counter",
        "[ALPHA] Etcd failed request counts for each operation and object type.",
        {
            labels(operation=operation, group=group, resource=resource): count
            for (operation, group, resource), count in metrics.storage_errors.items()
        },
    )


def _contents(registry: Registry) -> Iterator[Family]:
    counts = registry.counts()
    yield Family(
        "apiserver_resource_objects",
        "gauge",
        "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a fetching error, the"
        " value will be -1.",
        {labels(group=group, resource=resource): count for (group, resource), count in counts.items()},
    )
    yield Family(
        "apiserver_storage_objects",
        "gauge",
        "[STABLE] (Deprecated since 1.34.0) [DEPRECATED, consider using apiserver_resource_objects instead] Number of"
        " stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
        {
            labels(resource=f"{resource}.{group}" if group else resource): count
            for (group, resource), count in counts.items()
        },
    )
    yield Family(
        "apiserver_storage_size_bytes",
        "gauge",
        "[STABLE] Size of the storage database file physically allocated in bytes.",
        {labels(storage_cluster_id=_STORE): registry.store.size_bytes},
    )


def _watches(metrics: Metrics) -> Iterator[Family]:
    every = {
        labels(group=group, resource=resource, version=version): counts
        for (group, version, resource), counts in metrics.events.items()
    }
    yield Family(
        "apiserver_watch_events_total",
        "counter",
        "[ALPHA] Number of events sent in watch clients",
        {named: sum(counts.sizes.counts) for named, counts in every.items()},
    )
    yield Family(
        "apiserver_watch_events_sizes",
        "histogram",
        "[ALPHA] Watch event size distribution in bytes",
        {named: shown(counts.sizes) for named, counts in every.items()},
    )
    for name, words, attribute in (
        ("apiserver_init_events_total", "Counter of init events processed in watch cache", "initial"),
        ("apiserver_watch_cache_events_dispatched_total", "Counter of events dispatched in watch cache", "dispatched"),
        ("apiserver_terminated_watchers_total", "Counter of watchers closed due to unresponsiveness", "terminated"),
    ):
        found = {
            labels(group=counts.resource[0], resource=counts.resource[2]): getattr(counts, attribute)
            for counts in every.values()
        }
        yield Family(name, "counter", f"[ALPHA] {words} broken by resource type.", found)
