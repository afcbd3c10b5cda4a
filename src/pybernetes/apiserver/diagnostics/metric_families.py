"""The families of /metrics and /metrics/slis under upstream's names, with upstream's labels, types and help.

`Metrics`, the registry and the version go in when somebody asks; what comes out is for `exposition`. Names that count
what this server has no part for (etcd leases, Go's runtime, webhooks) are left out rather than shown as zero.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.api.types.version import Info
from pybernetes.apiserver.diagnostics.decision_families import decision_families
from pybernetes.apiserver.diagnostics.exposition import Family, labels
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.diagnostics.request_families import request_families
from pybernetes.apiserver.diagnostics.store_families import store_families
from pybernetes.apiserver.registry import Registry

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
        *request_families(metrics),
        *decision_families(metrics),
        *store_families(metrics, registry),
        *_constants(version),
    ]


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
