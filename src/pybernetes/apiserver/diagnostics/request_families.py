"""The families of /metrics about requests: how many, how long, how large, and what is under way."""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.api.kinds import find_resource
from pybernetes.apiserver.diagnostics.distributions import coarser, shown
from pybernetes.apiserver.diagnostics.exposition import Family, Labels, labels
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.diagnostics.series import RequestSeries
from pybernetes.apiserver.warning_headers import warning_of_age

# The series of requests by their labels, whether they were dry runs or not.
_Merged = dict[Labels, list[RequestSeries]]
_TARGET = ("group", "version", "resource", "subresource")


def request_families(metrics: Metrics) -> Iterator[Family]:
    """All that is told of requests."""
    merged = _merged(metrics)
    yield _total(metrics)
    yield from _times(metrics, merged)
    yield _sizes(merged)
    yield from _under_way(merged)
    yield _deprecated(metrics)
    yield from _of_the_server(metrics)


def _merged(metrics: Metrics) -> _Merged:
    """The series of requests; a dry run is a label of its own in some families only."""
    merged: _Merged = {}
    for one in metrics.requests.values():
        merged.setdefault(labels(**one.labels), []).append(one)
    return merged


def _total(metrics: Metrics) -> Family:
    return Family(
        "apiserver_request_total",
        "counter",
        "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource,"
        " scope, component, and HTTP response code.",
        {
            labels(**one.labels, dry_run=one.dry_run, code=str(code)): count
            for one in metrics.requests.values()
            for code, count in one.codes.items()
        },
    )


def _times(metrics: Metrics, merged: _Merged) -> Iterator[Family]:
    yield Family(
        "apiserver_request_duration_seconds",
        "histogram",
        "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource,"
        " subresource, scope and component.",
        {labels(**one.labels, dry_run=one.dry_run): shown(one.times) for one in metrics.requests.values() if one.codes},
    )
    yield Family(
        "apiserver_request_sli_duration_seconds",
        "histogram",
        "[ALPHA] Response latency distribution (not counting webhook duration and priority & fairness queue wait times)"
        " in seconds for each verb, group, version, resource, subresource, scope and component.",
        # There is neither to be left out. Upstream begins at 0.05 here.
        {named: coarser([one.times for one in same]) for named, same in merged.items() if any(s.codes for s in same)},
    )


def _sizes(merged: _Merged) -> Family:
    return Family(
        "apiserver_response_sizes",
        "histogram",
        "[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and"
        " component.",
        {
            named: shown(*(one.sizes for one in same if one.sizes is not None))
            for named, same in merged.items()
            if same[0].sizes is not None
        },
    )


def _under_way(merged: _Merged) -> Iterator[Family]:
    yield Family(
        "apiserver_longrunning_requests",
        "gauge",
        "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource,"
        " scope and component. Not all requests are tracked this way.",
        {
            named: sum(one.open for one in same)
            for named, same in merged.items()
            if same[0].labels["verb"] in ("WATCH", "CONNECT")
        },
    )
    yield Family(
        "apiserver_request_terminations_total",
        "counter",
        "[ALPHA] Number of requests which apiserver terminated in self-defense.",
        {
            (*sorted((*named, ("code", str(code)))),): sum(one.terminations.get(code, 0) for one in same)
            for named, same in merged.items()
            for code in {code for one in same for code in one.terminations}
        },
    )


def _deprecated(metrics: Metrics) -> Family:
    return Family(
        "apiserver_requested_deprecated_apis",
        "gauge",
        "[STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, version, resource,"
        " subresource, and removed_release.",
        {
            labels(**{name: one.labels[name] for name in _TARGET}, removed_release=""): 1
            for one in metrics.requests.values()
            if warning_of_age(find_resource(*(one.labels[name] for name in _TARGET[:3]))) is not None
        },
    )


def _of_the_server(metrics: Metrics) -> Iterator[Family]:
    yield Family(
        "apiserver_current_inflight_requests",
        "gauge",
        "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last"
        " second.",
        # Reads are answered one at a time; the one that asks is always among them.
        {labels(request_kind="mutating"): metrics.mutating_peak(), labels(request_kind="readOnly"): 1},
    )
    yield Family(
        "apiserver_tls_handshake_errors_total",
        "counter",
        "[ALPHA] Number of requests dropped with 'TLS handshake error from' error",
        {(): metrics.tls_handshake_errors()},
    )
