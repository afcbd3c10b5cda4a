"""Which admission plug-ins run, and in which order: upstream's, so that each finds what the ones before it left.

Mutating and validating halves both run in this order. Called once, when an API server is put together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pybernetes.apiserver.admission import Plugin
from pybernetes.apiserver.admission_plugins.admission_policies import MutatingPolicies, ValidatingPolicies
from pybernetes.apiserver.admission_plugins.certificates import (
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
)
from pybernetes.apiserver.admission_plugins.default_ingress_class import DefaultIngressClass
from pybernetes.apiserver.admission_plugins.default_toleration_seconds import DefaultTolerationSeconds
from pybernetes.apiserver.admission_plugins.device_admin_access import DeviceAdminAccess
from pybernetes.apiserver.admission_plugins.device_status_rights import DeviceStatusRights
from pybernetes.apiserver.admission_plugins.limit_ranger import LimitRanger
from pybernetes.apiserver.admission_plugins.namespace_lifecycle import NamespaceLifecycle
from pybernetes.apiserver.admission_plugins.node_restriction import NodeRestriction
from pybernetes.apiserver.admission_plugins.pod_resize import PodResizeValidator
from pybernetes.apiserver.admission_plugins.pod_security import PodSecurity
from pybernetes.apiserver.admission_plugins.pod_topology_labels import PodTopologyLabels
from pybernetes.apiserver.admission_plugins.priority import Priority
from pybernetes.apiserver.admission_plugins.resource_quota import Ledger, NoLedger, ResourceQuotaAdmission
from pybernetes.apiserver.admission_plugins.runtime_class import RuntimeClassAdmission
from pybernetes.apiserver.admission_plugins.service_account import ServiceAccountAdmission
from pybernetes.apiserver.admission_plugins.storage_defaults import (
    DefaultStorageClass,
    PersistentVolumeClaimResize,
    StorageObjectInUseProtection,
)
from pybernetes.apiserver.admission_plugins.taint_nodes_by_condition import TaintNodesByCondition
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.stages.rbac_escalation import RbacEscalation
from pybernetes.environment.chance import Chance
from pybernetes.environment.refusal import Refused

# Known but off unless `--enable-admission-plugins` names them.
OFF_BY_DEFAULT = frozenset({"NodeRestriction"})
# Upstream's that are not here: they may be left out by name, which command lines made for the original do.
_ABSENT = frozenset(
    (
        *("AlwaysAdmit", "AlwaysDeny", "AlwaysPullImages", "ClusterTrustBundleAttest", "DenyServiceExternalIPs"),
        *("EventRateLimit", "ExtendedResourceToleration", "ImagePolicyWebhook", "LimitPodHardAntiAffinityTopology"),
        *("MutatingAdmissionWebhook", "NamespaceAutoProvision", "NamespaceExists", "NodeDeclaredFeatureValidator"),
        *("OwnerReferencesPermissionEnforcement", "PodNodeSelector", "PodTolerationRestriction"),
        *("ValidatingAdmissionWebhook",),
    )
)


def default_plugins(
    reader: Reader,
    authorizer: Authorizer,
    chance: Chance,
    enable: Collection[str] = (),
    disable: Collection[str] = (),
    ledger: Ledger | None = None,
) -> tuple[Plugin, ...]:
    """The plug-ins that are on, in run order; `Refused` for a name that no plug-in has."""
    every: Sequence[Plugin] = (
        NamespaceLifecycle(reader),
        LimitRanger(reader),
        ServiceAccountAdmission(reader, chance),
        NodeRestriction(reader, authorizer),
        TaintNodesByCondition(),
        PodSecurity(reader),
        Priority(reader),
        DefaultTolerationSeconds(),
        DefaultStorageClass(reader),
        StorageObjectInUseProtection(),
        PersistentVolumeClaimResize(reader),
        RuntimeClassAdmission(reader),
        CertificateApproval(authorizer),
        CertificateSigning(authorizer),
        CertificateSubjectRestriction(),
        DefaultIngressClass(reader),
        PodTopologyLabels(reader),
        PodResizeValidator(reader),
        MutatingPolicies(reader, authorizer),
        ValidatingPolicies(reader, authorizer),
        ResourceQuotaAdmission(reader, ledger or NoLedger()),
    )
    known = {plugin.name for plugin in every}
    _check(known, enable, disable)
    chosen = [
        plugin
        for plugin in every
        if plugin.name not in disable and (plugin.name not in OFF_BY_DEFAULT or plugin.name in enable)
    ]
    # Not plug-ins that anybody could turn off, but the same seam.
    return (*chosen, RbacEscalation(authorizer), DeviceStatusRights(authorizer), DeviceAdminAccess(reader))


def _check(known: Collection[str], enable: Collection[str], disable: Collection[str]) -> None:
    for flag, names, allowed in (("enable", enable, known), ("disable", disable, {*known, *_ABSENT})):
        for name in names:
            if name not in allowed:
                raise Refused(
                    f'{flag}-admission-plugins plugin "{name}" is unknown; known are {", ".join(sorted(known))}'
                )
