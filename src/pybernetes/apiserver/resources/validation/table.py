"""Finds the rules of a kind: one table from struct to rules, joined with those for metadata that all kinds obey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.names import dns1123_label, path_segment_name
from pybernetes.api.status import FieldError
from pybernetes.api.types import apps_v1, batch_v1, core_v1, rbac_v1
from pybernetes.apiserver.resources.validation import configuration, jobs, pod, service, workloads
from pybernetes.apiserver.resources.validation.metadata import validate_metadata, validate_metadata_update
from pybernetes.apiserver.resources.validation.rules import Rules

_PLAIN = Rules()

_RULES: Mapping[type, Rules] = {
    core_v1.ConfigMap: Rules(configuration.validate_config_map, configuration.validate_config_map_update),
    core_v1.Namespace: Rules(
        configuration.validate_namespace, configuration.validate_namespace_update, name=dns1123_label
    ),
    core_v1.Node: Rules(configuration.validate_node, configuration.validate_node_update),
    core_v1.Pod: Rules(pod.validate_create, pod.validate_update, pod.validate_status),
    core_v1.PodTemplate: Rules(workloads.validate_pod_template, workloads.validate_pod_template_update),
    core_v1.ReplicationController: Rules(
        workloads.validate_replication_controller, workloads.validate_replication_controller_update
    ),
    core_v1.Secret: Rules(configuration.validate_secret, configuration.validate_secret_update),
    core_v1.Service: Rules(service.validate_create, service.validate_update, name=dns1123_label),
    apps_v1.ControllerRevision: Rules(
        workloads.validate_controller_revision, workloads.validate_controller_revision_update
    ),
    apps_v1.DaemonSet: Rules(workloads.validate_daemon_set, workloads.validate_daemon_set_update),
    apps_v1.Deployment: Rules(workloads.validate_deployment, workloads.validate_deployment_update),
    apps_v1.ReplicaSet: Rules(workloads.validate_replica_set, workloads.validate_replica_set_update),
    apps_v1.StatefulSet: Rules(workloads.validate_stateful_set, workloads.validate_stateful_set_update),
    batch_v1.CronJob: Rules(jobs.validate_cron_job, jobs.validate_cron_job_update),
    batch_v1.Job: Rules(jobs.validate_create, jobs.validate_update),
    # Names such as `system:node` are paths' segments, no DNS names.
    rbac_v1.ClusterRole: Rules(name=path_segment_name),
    rbac_v1.ClusterRoleBinding: Rules(name=path_segment_name),
    rbac_v1.Role: Rules(name=path_segment_name),
    rbac_v1.RoleBinding: Rules(name=path_segment_name),
}


def rules_of(kind: Kind) -> Rules:
    """The complete rules of a kind, those for its metadata first."""
    own = _RULES.get(kind.type, _PLAIN)
    namespaced = kind.namespaced

    def create(obj: Any) -> list[FieldError]:
        return validate_metadata(obj.metadata, namespaced=namespaced, rule=own.name) + own.create(obj)

    def update(new: Any, old: Any) -> list[FieldError]:
        return validate_metadata_update(new.metadata, old.metadata, namespaced=namespaced) + own.update(new, old)

    def status(new: Any, old: Any) -> list[FieldError]:
        return validate_metadata_update(new.metadata, old.metadata, namespaced=namespaced) + own.status(new, old)

    return Rules(create, update, status, own.name)
