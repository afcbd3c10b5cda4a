"""The families of /metrics and /metrics/slis under upstream's names, with upstream's labels, types and help.

`Metrics`, the registry and the version go in when somebody asks; what comes out is for `exposition`. Names that count
what this server has no part for (etcd leases, Go's runtime, webhooks) are left out rather than shown as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pybernetes.api.kinds import find_resource
from pybernetes.api.types.version import Info
from pybernetes.apiserver.commands import warning_of_age
from pybernetes.apiserver.diagnostics.exposition import Distribution, Family, Labels, labels
from pybernetes.apiserver.diagnostics.metrics import Metrics, RequestSeries, Timing
from pybernetes.apiserver.registry import Registry

_STORE = "embedded"
_TARGET = ("group", "version", "resource", "subresource")
_KNOWN_USERS = ("admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default")
# Features of v1.36, as it comes, that this server has.
_FEATURES = (
    ("CRDValidationRatcheting", ""),
    ("ComponentFlagz", "BETA"),
    ("ComponentSLIs", ""),
    ("ComponentStatusz", "BETA"),
    ("ConsistentListFromCache", ""),
    ("InPlacePodVerticalScaling", ""),
    ("JobSuccessPolicy", ""),
    ("OrderedNamespaceDeletion", ""),
    ("PodLifecycleSleepAction", ""),
    ("ServiceAccountTokenNodeBinding", ""),
    ("ServiceTrafficDistribution", ""),
    ("SidecarContainers", ""),
    ("WatchList", "BETA"),
)


def families(metrics: Metrics, registry: Registry, version: Info) -> list[Family]:
    """All of /metrics but what the process is."""
    return [
        *_requests(metrics),
        *_under_way(metrics),
        *_decisions(metrics),
        *_store(metrics, registry),
        *_watches(metrics),
        *_constants(version),
    ]


def _merged(metrics: Metrics) -> dict[Labels, list[RequestSeries]]:
    """The series of requests; a dry run is a label of its own in some families only."""
    merged: dict[Labels, list[RequestSeries]] = {}
    for one in metrics.requests.values():
        merged.setdefault(labels(**one.labels), []).append(one)
    return merged


def _requests(metrics: Metrics) -> Iterator[Family]:
    every = list(metrics.requests.values())
    merged = _merged(metrics)
    yield Family(
        "apiserver_request_total",
        "counter",
        "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource,"
        " scope, component, and HTTP response code.",
        {
            labels(**one.labels, dry_run=one.dry_run, code=str(code)): count
            for one in every
            for code, count in one.codes.items()
        },
    )
    yield Family(
        "apiserver_request_duration_seconds",
        "histogram",
        "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource,"
        " subresource, scope and component.",
        {labels(**one.labels, dry_run=one.dry_run): _shown(one.times) for one in every if one.codes},
    )
    yield Family(
        "apiserver_request_sli_duration_seconds",
        "histogram",
        "[ALPHA] Response latency distribution (not counting webhook duration and priority & fairness queue wait times)"
        " in seconds for each verb, group, version, resource, subresource, scope and component.",
        # There is neither to be left out. Upstream begins at 0.05 here.
        {named: _coarser([one.times for one in same]) for named, same in merged.items() if any(s.codes for s in same)},
    )
    yield Family(
        "apiserver_response_sizes",
        "histogram",
        "[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and"
        " component.",
        {
            named: _shown(*(one.sizes for one in same if one.sizes is not None))
            for named, same in merged.items()
            if same[0].sizes is not None
        },
    )


def _under_way(metrics: Metrics) -> Iterator[Family]:
    merged = _merged(metrics)
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
    yield Family(
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


def _decisions(metrics: Metrics) -> Iterator[Family]:
    for name, timings, attempts, attempts_help, times_help in (
        (
            "authentication",
            metrics.authentication,
            "authentication_attempts",
            "[ALPHA] Counter of authenticated attempts.",
            "[ALPHA] Authentication duration in seconds broken out by result.",
        ),
        (
            "authorization",
            metrics.authorization,
            "authorization_attempts_total",
            "[ALPHA] Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied',"
            " 'no-opinion' or 'error'.",
            "[ALPHA] Authorization duration in seconds broken out by result.",
        ),
    ):
        counted = {result: timing for result, timing in timings.items() if any(timing.counts)}
        counts = {labels(result=result): sum(timing.counts) for result, timing in counted.items()}
        yield Family(attempts, "counter", attempts_help, counts)
        times = {labels(result=result): _shown(timing) for result, timing in counted.items()}
        yield Family(f"{name}_duration_seconds", "histogram", times_help, times)
    users: dict[str, int] = {}
    for name, count in metrics.users.items():
        users[_category(name)] = users.get(_category(name), 0) + count
    yield Family(
        "authenticated_user_requests",
        "counter",
        "[ALPHA] Counter of authenticated requests broken out by username.",
        {labels(username=name): count for name, count in users.items()},
    )
    yield Family(
        "apiserver_admission_controller_admission_duration_seconds",
        "histogram",
        "[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for each"
        " operation and API resource and type (validate or admit).",
        {
            labels(name=name, operation=operation, type=half, rejected=str(bool(rejected)).lower()): _shown(timing)
            for (name, operation, half), both in metrics.admission.items()
            for rejected, timing in enumerate(both)
            if name and any(timing.counts)
        },
    )
    yield Family(
        "apiserver_admission_step_admission_duration_seconds",
        "histogram",
        "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API resource and"
        " step type (validate or admit).",
        {
            labels(operation=operation, type=half, rejected=str(bool(rejected)).lower()): _shown(timing)
            for (name, operation, half), both in metrics.admission.items()
            for rejected, timing in enumerate(both)
            if not name and any(timing.counts)
        },
    )


def _category(user: str) -> str:
    """Users as upstream tells them apart: names are nobody's business."""
    if user in _KNOWN_USERS:
        return user
    return "email_id" if "@" in user else "other"


def _store(metrics: Metrics, registry: Registry) -> Iterator[Family]:
    times = {
        labels(operation=operation, group=group, resource=resource): timing
        for (operation, group, resource), timing in metrics.storage.items()
    }
    yield Family(
        "etcd_request_duration_seconds",
        "histogram",
        "[ALPHA] Etcd request latency in seconds for each operation and object type.",
        {named: _shown(timing) for named, timing in times.items()},
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
        {named: _shown(counts.sizes) for named, counts in every.items()},
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


def _constants(version: Info) -> Iterator[Family]:
    yield Family(
        "kubernetes_build_info",
        "gauge",
        "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state,"
        " build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
        {
            labels(
                build_date=version.build_date,
                compiler=version.compiler,
                git_commit=version.git_commit,
                git_tree_state=version.git_tree_state,
                git_version=version.git_version,
                go_version=version.go_version,
                major=version.major,
                minor=version.minor,
                platform=version.platform,
            ): 1
        },
    )
    yield Family(
        "kubernetes_feature_enabled",
        "gauge",
        "[BETA] This metric records the data about the stage and enablement of a k8s feature.",
        {labels(name=name, stage=stage): 1 for name, stage in _FEATURES},
    )


def checks(metrics: Metrics) -> list[Family]:
    """Those of /metrics/slis."""
    return [
        Family(
            "kubernetes_healthcheck",
            "gauge",
            "[STABLE] This metric records the result of a single healthcheck.",
            {labels(name=name, type=endpoint): int(ok) for (name, endpoint), ok in metrics.checked.items()},
        ),
        Family(
            "kubernetes_healthchecks_total",
            "counter",
            "[STABLE] This metric records the results of all healthcheck.",
            {
                labels(name=name, status=status, type=endpoint): count
                for (name, endpoint), counts in metrics.checks.items()
                for status, count in zip(("error", "success"), counts, strict=True)
                if count
            },
        ),
    ]


def _shown(*timings: Timing) -> Distribution:
    """One or several of the same bounds as one."""
    counts = [sum(column) for column in zip(*(timing.counts for timing in timings), strict=True)]
    return Distribution(timings[0].bounds, counts, sum(timing.total for timing in timings))


def _coarser(timings: Iterable[Timing]) -> Distribution:
    """Without the two finest buckets."""
    fine = _shown(*timings)
    return Distribution(fine.bounds[2:], [sum(fine.counts[:3]), *fine.counts[3:]], fine.total)
