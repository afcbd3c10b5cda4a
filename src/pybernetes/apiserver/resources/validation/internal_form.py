"""Parts of objects as upstream's own structs print, which some messages show: Go's names, Go's order, zeros and nulls.

A part as plain JSON and its definition go in; a value with the names of Go's unversioned structs comes out, or the
difference of two such values, as people see it when they change what cannot be changed.
"""

from __future__ import annotations

import difflib
import json
from functools import cache
from typing import Any

from pybernetes.api import protobuf_table
from pybernetes.api.objects import to_builtins
from pybernetes.api.protobuf_table import INT_OR_STRING, META, QUANTITY, Field
from pybernetes.api.schema import definition_of
from pybernetes.api.struct import ApiStruct
from pybernetes.api.types.core_v1 import PodTemplateSpec

_CORE = "io.k8s.api.core.v1."
_POD_SPEC = _CORE + "PodSpec"
_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_ZEROS: dict[str, Any] = {"string": "", "bool": False, "bytes": ""}
_CONTAINER = (
    "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules "
    "volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath "
    "terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty"
)
# Where Go's order is not that of the protobuf numbers. Fields that are named nowhere have no place there.
_ORDERS = {
    "PodSpec": (
        "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds "
        "activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName automountServiceAccountToken nodeName "
        "securityContext imagePullSecrets hostname subdomain setHostnameAsFQDN affinity schedulerName tolerations "
        "hostAliases priorityClassName priority preemptionPolicy dnsConfig readinessGates runtimeClassName overhead "
        "enableServiceLinks topologySpreadConstraints os schedulingGates resourceClaims resources hostnameOverride "
        "schedulingGroup"
    ),
    "Container": _CONTAINER,
    "EphemeralContainerCommon": _CONTAINER,
    "PodSecurityContext": (
        "hostNetwork hostPID hostIPC shareProcessNamespace hostUsers seLinuxOptions windowsOptions runAsUser "
        "runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup fsGroupChangePolicy sysctls "
        "seccompProfile appArmorProfile seLinuxChangePolicy"
    ),
    "SecurityContext": (
        "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot "
        "readOnlyRootFilesystem allowPrivilegeEscalation procMount seccompProfile appArmorProfile"
    ),
    "VolumeMount": "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr",
    "VolumeSource": (
        "hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs "
        "persistentVolumeClaim rbd quobyte flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap "
        "vsphereVolume azureDisk photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image"
    ),
    "PersistentVolumeSource": (
        "gcePersistentDisk awsElasticBlockStore hostPath glusterfs nfs rbd quobyte iscsi flexVolume cinder cephfs fc "
        "flocker azureFile vsphereVolume azureDisk photonPersistentDisk portworxVolume scaleIO local storageos csi"
    ),
}
_NAMES = {
    "apiGroups": "APIGroups",
    "apiVersion": "APIVersion",
    "awsElasticBlockStore": "AWSElasticBlockStore",
    "cephfs": "CephFS",
    "csi": "CSI",
    "dnsConfig": "DNSConfig",
    "dnsPolicy": "DNSPolicy",
    "fc": "FC",
    "fsGroup": "FSGroup",
    "fsGroupChangePolicy": "FSGroupChangePolicy",
    "fsType": "FSType",
    "gcePersistentDisk": "GCEPersistentDisk",
    "grpc": "GRPC",
    "httpGet": "HTTPGet",
    "httpHeaders": "HTTPHeaders",
    "ip": "IP",
    "iqn": "IQN",
    "iscsi": "ISCSI",
    "nfs": "NFS",
    "os": "OS",
    "pdName": "PDName",
    "rbd": "RBD",
    "scaleIO": "ScaleIO",
    "seLinuxChangePolicy": "SELinuxChangePolicy",
    "seLinuxOptions": "SELinuxOptions",
    "storageos": "StorageOS",
    "tcpSocket": "TCPSocket",
    "targetWWNs": "TargetWWNs",
    "tty": "TTY",
    "wwids": "WWIDs",
}


def difference(old: ApiStruct, new: ApiStruct, definition: str = "") -> str:
    """What becomes of a part, line by line with three lines around; empty for parts that print alike."""
    definition = definition or definition_of(type(old))
    before, after = (_lines(internal(to_builtins(part), definition)) for part in (old, new))
    # Without the two lines that name the sides.
    return "".join(list(difflib.unified_diff(before, after))[2:])


def internal_part(part: ApiStruct) -> dict[str, Any]:
    """A part of an object, as messages show what is wrong as a whole."""
    return internal(to_builtins(part), definition_of(type(part)))


def internal_template(template: PodTemplateSpec) -> dict[str, Any]:
    """A pod template; its metadata has the names of JSON, in Go too."""
    metadata = to_builtins(template.metadata)
    maps = {name: dict(sorted(held.items())) for name, held in metadata.items() if isinstance(held, dict)}
    return {**metadata, **maps, "Spec": internal(to_builtins(template.spec), _POD_SPEC)}


def _lines(value: Any) -> list[str]:
    return [f"{line}\n" for line in _escaped(json.dumps(value, indent=1, ensure_ascii=False)).split("\n")]


def _escaped(text: str) -> str:
    """As Go does, so that JSON can stand in a page."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def internal(value: dict[str, Any], definition: str) -> dict[str, Any]:
    """A struct by Go's names; `value` holds what JSON shows of it."""
    if definition == _POD_SPEC:
        host = {name: value[name] for name in _HOST if name in value}
        value = {**value, "securityContext": {**(value.get("securityContext") or {}), **host}}
    result: dict[str, Any] = {}
    for name, field in _layout(definition):
        if not name:
            result |= internal(value, field.type)
        else:
            result[_NAMES.get(name) or name[0].upper() + name[1:]] = _held(value.get(name), field)
    return result


@cache
def _layout(definition: str) -> tuple[tuple[str, Field], ...]:
    """The fields of a struct in Go's order; those of embedded structs in their place."""
    found = {field.name: field for field in protobuf_table.fields(definition).values()}
    order = _ORDERS.get(definition.removeprefix(_CORE))
    if definition == _CORE + "PodSecurityContext":
        rows = {field.name: field for field in protobuf_table.fields(_POD_SPEC).values()}
        found |= {name: rows[name] for name in _HOST}
    names = order.split() if order is not None else list(found)
    return tuple((name, found[name]) for name in names if name in found)


def _held(value: Any, field: Field) -> Any:
    if value is None or (value in ([], {}) and field.type.startswith(("[]", "{}"))):
        return _zero(field)
    return _written(value, field.type)


def _zero(field: Field) -> Any:
    if not field.zero:
        return None
    if field.type in _ZEROS:
        return _ZEROS[field.type]
    if field.type == QUANTITY:
        return "0"
    if field.type == INT_OR_STRING or not _is_struct(field.type):
        return 0
    return internal({}, field.type)


def _is_struct(type_: str) -> bool:
    return "." in type_ and not type_.startswith(META) and type_ != QUANTITY and protobuf_table.has_message(type_)


def _written(value: Any, type_: str) -> Any:
    if type_.startswith("[]"):
        return [_written(item, type_[2:]) for item in value]
    if type_.startswith("{}"):
        return {key: _written(value[key], type_[2:]) for key in sorted(value)}
    if isinstance(value, dict) and _is_struct(type_):
        return internal(value, type_)
    return value
