"""Rules for the sources of volumes that pods and persistent volumes name: disks, shares and drivers of old.

A row of a table is (attribute, path when it is one source too many, path in its complaints, its rule): upstream
spells some of them differently. Called by the rules for pods' volumes and for persistent volumes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.apiserver.resources.validation.numbers import in_range
from pybernetes.apiserver.resources.validation.paths import no_backsteps
from pybernetes.apiserver.resources.validation.texts import no_longer, none_or_one_of, obeys, required_text

# (source, path) -> complaints.
SourceRule = Callable[[Any, str], list[FieldError]]
SourceRow = tuple[str, str, str, SourceRule]


def row(attribute: str, name: str, rule: SourceRule) -> SourceRow:
    """The row of a source that goes by one name, in tables of sources and in errors."""
    return attribute, name, name, rule


_MORE_THAN_ONE = "may not specify more than 1 volume type"
_HOST_PATHS = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
_QUALIFIED_NAMES = (
    ("iqn", re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)\Z", re.ASCII)),
    ("eui", re.compile(r"\Aeui.[a-zA-Z0-9]{16}\Z", re.ASCII)),
    ("naa", re.compile(r"\Anaa.[a-zA-Z0-9]{32}\Z", re.ASCII)),
)
PORTAL_TOO_LONG = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
    "iscsi.initiatorName is specified."
)
_PORTAL_LIMIT = 64
_HOST_PORTS = "must be a host:port pair or multiple pairs separated by commas"
_MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def validate_sources(holder: Any, rows: Sequence[SourceRow], path: str, *, found: bool = False) -> list[FieldError]:
    """Exactly one source, and that complete; `found` is whether there is one that no row knows."""
    errors: list[FieldError] = []
    for attribute, surplus, name, rule in rows:
        source = getattr(holder, attribute)
        if source is None:
            continue
        if found:
            errors.append(forbidden_field(f"{path}.{surplus}", _MORE_THAN_ONE))
        else:
            found = True
            errors += rule(source, f"{path}.{name}")
    if not found:
        errors.append(required(path, "must specify a volume type"))
    return errors


def needs(*fields: tuple[str, str]) -> SourceRule:
    """The rule that (attribute, wire name) may not be empty."""

    def rule(source: Any, path: str) -> list[FieldError]:
        return [required(f"{path}.{name}") for attribute, name in fields if not getattr(source, attribute)]

    return rule


def validate_host_path(source: Any, path: str) -> list[FieldError]:
    if not source.path:
        return [required(f"{path}.path")]
    errors = no_backsteps(source.path, f"{path}.path")
    return errors + none_or_one_of(source.type, _HOST_PATHS, f"{path}.type")


def disk_partition(attribute: str, name: str) -> SourceRule:
    """A disk of a cloud by its name, and one of its partitions."""

    def rule(source: Any, path: str) -> list[FieldError]:
        errors = needs((attribute, name))(source, path)
        number = source.partition or 0
        if not 0 <= number <= 255:
            errors.append(invalid(f"{path}.partition", number, "must be between 1 and 255, inclusive"))
        return errors

    return rule


def validate_nfs(source: Any, path: str) -> list[FieldError]:
    errors = needs(("server", "server"), ("path", "path"))(source, path)
    if not source.path.startswith("/"):
        errors.append(invalid(f"{path}.path", source.path, "must be an absolute path"))
    return errors


def _qualified_name(name: str, path: str, unknown: str) -> list[FieldError]:
    """The name of an iSCSI node in one of its three forms."""
    for prefix, pattern in _QUALIFIED_NAMES:
        if name.startswith(prefix):
            return [] if pattern.search(name) else [invalid(path, name, "must be valid format")]
    return [invalid(path, name, unknown)]


def iscsi(unknown: str, *, named_secret: bool = False) -> SourceRule:
    """`unknown` is what is said of names of no known form; persistent volumes check the secret's name too."""

    def rule(source: Any, path: str) -> list[FieldError]:
        errors = needs(("target_portal", "targetPortal"))(source, path)
        if not source.iqn:
            errors.append(required(f"{path}.iqn"))
        else:
            errors += _qualified_name(source.iqn, f"{path}.iqn", unknown)
        errors += in_range(source.lun, 0, 255, f"{path}.lun")
        if (source.chap_auth_discovery or source.chap_auth_session) and source.secret_ref is None:
            errors.append(required(f"{path}.secretRef"))
        if named_secret and source.secret_ref is not None and not source.secret_ref.name:
            errors.append(required(f"{path}.secretRef.name"))
        if source.initiator_name is not None:
            errors += _qualified_name(source.initiator_name, f"{path}.initiatorname", unknown)
        return errors

    return rule


def portal_is_too_long(source: Any, volume: str) -> bool:
    """Whether the name of a volume and its portal make too long a name for a file together."""
    if source is None or source.initiator_name is None:
        return False
    return len(f"{volume}:{source.target_portal}".encode()) > _PORTAL_LIMIT


def validate_fc(source: Any, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names = f"{path}.targetWWNs"
    if not source.target_wwns and not source.wwids:
        errors.append(required(names, "must specify either targetWWNs or wwids, but not both"))
    if source.target_wwns and source.wwids:
        detail = "targetWWNs and wwids can not be specified simultaneously"
        errors.append(invalid(names, source.target_wwns, detail))
    if source.target_wwns:
        if source.lun is None:
            errors.append(required(f"{path}.lun", "lun is required if targetWWNs is specified"))
        else:
            errors += in_range(source.lun, 0, 255, f"{path}.lun")
    return errors


def validate_quobyte(source: Any, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not source.registry:
        errors.append(required(f"{path}.registry", _HOST_PORTS))
    elif len(source.tenant or "") >= 65:
        errors.append(required(f"{path}.tenant", "must be a UUID and may not exceed a length of 64 characters"))
    else:
        pairs = source.registry.split(",")
        bad = [pair for pair in pairs if not re.fullmatch(r"([^:\[\]]*|\[[^\[\]]*\]):[^:]*", pair)]
        errors += [invalid(f"{path}.registry", source.registry, _HOST_PORTS) for _ in bad]
    return errors + needs(("volume", "volume"))(source, path)


def validate_glusterfs(source: Any, path: str) -> list[FieldError]:
    """Also of persistent volumes, which name a namespace besides."""
    errors = needs(("endpoints", "endpoints"), ("path", "path"))(source, path)
    namespace = getattr(source, "endpoints_namespace", None)
    if namespace is not None:
        where = f"{path}.endpointsNamespace"
        if not namespace:
            detail = "if the endpointnamespace is set, it must be a valid namespace name"
            errors.append(invalid(where, namespace, detail))
        else:
            errors += obeys(namespace, dns1123_label, where)
    return errors


def validate_flocker(source: Any, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not source.dataset_name and not source.dataset_uuid:
        errors.append(required(path, "one of datasetName and datasetUUID is required"))
    if source.dataset_name and source.dataset_uuid:
        detail = "datasetName and datasetUUID can not be specified simultaneously"
        errors.append(invalid(path, "resource", detail))
    if "/" in (source.dataset_name or ""):
        errors.append(invalid(f"{path}.datasetName", source.dataset_name, "must not contain '/'"))
    return errors


def validate_rbd(source: Any, path: str) -> list[FieldError]:
    return needs(("monitors", "monitors"), ("image", "image"))(source, path)


def cinder(*, with_namespace: bool = False) -> SourceRule:
    def rule(source: Any, path: str) -> list[FieldError]:
        errors = needs(("volume_id", "volumeID"))(source, path)
        return errors + _secret_reference(source.secret_ref, f"{path}.secretRef", with_namespace=with_namespace)

    return rule


def _secret_reference(reference: Any, path: str, *, with_namespace: bool) -> list[FieldError]:
    """A secret by name, and by namespace where it is not the pod's own."""
    if reference is None:
        return []
    errors = [] if reference.name else [required(f"{path}.name")]
    if with_namespace and not reference.namespace:
        errors.append(required(f"{path}.namespace"))
    return errors


def validate_flex(source: Any, path: str) -> list[FieldError]:
    errors = needs(("driver", "driver"))(source, path)
    for key in source.options:
        namespace = key.partition("/")[0]
        if f".{namespace.lower()}".endswith((".kubernetes.io", ".k8s.io")):
            detail = "kubernetes.io and k8s.io namespaces are reserved"
            errors.append(invalid(f"{path}.options[{key}]", key, detail))
    return errors


def validate_azure_file(source: Any, path: str) -> list[FieldError]:
    """Also of persistent volumes, which name a namespace besides."""
    errors = needs(("secret_name", "secretName"), ("share_name", "shareName"))(source, path)
    if getattr(source, "secret_namespace", None) == "":
        errors.append(required(f"{path}.secretNamespace"))
    return errors


def validate_azure_disk(source: Any, path: str) -> list[FieldError]:
    errors = needs(("disk_name", "diskName"), ("disk_uri", "diskURI"))(source, path)
    errors += none_or_one_of(source.caching_mode, ("None", "ReadOnly", "ReadWrite"), f"{path}.cachingMode")
    errors += none_or_one_of(source.kind, ("Dedicated", "Managed", "Shared"), f"{path}.kind")
    if source.kind == "Managed" and not source.disk_uri.startswith("/subscriptions/"):
        errors.append(not_supported(f"{path}.diskURI", source.disk_uri, (_MANAGED_DISK,)))
    if source.kind is not None and source.kind != "Managed" and not source.disk_uri.startswith("https://"):
        errors.append(not_supported(f"{path}.diskURI", source.disk_uri, (_BLOB_DISK,)))
    return errors


def scale_io(source: Any, path: str) -> list[FieldError]:
    return needs(("gateway", "gateway"), ("system", "system"), ("volume_name", "volumeName"))(source, path)


def storageos(*, with_namespace: bool = False) -> SourceRule:
    def rule(source: Any, path: str) -> list[FieldError]:
        errors = required_text(source.volume_name, dns1123_label, f"{path}.volumeName")
        if source.volume_namespace:
            where, namespace = f"{path}.volumeNamespace", source.volume_namespace
            errors += obeys(namespace, dns1123_label, where)
        return errors + _secret_reference(source.secret_ref, f"{path}.secretRef", with_namespace=with_namespace)

    return rule


def validate_driver_name(name: str, path: str) -> list[FieldError]:
    """The name of a CSI driver."""
    if not name:
        return [required(path)]
    return no_longer(name, 63, path) + [invalid(path, name, text) for text in dns1123_subdomain(name.lower())]


# Sources that pods and persistent volumes have alike.
HOST_PATH: SourceRow = row("host_path", "hostPath", validate_host_path)
GCE_PERSISTENT_DISK: SourceRow = (
    "gce_persistent_disk",
    "gcePersistentDisk",
    "persistentDisk",
    disk_partition("pd_name", "pdName"),
)
AWS_ELASTIC_BLOCK_STORE: SourceRow = row(
    "aws_elastic_block_store", "awsElasticBlockStore", disk_partition("volume_id", "volumeID")
)
NFS: SourceRow = row("nfs", "nfs", validate_nfs)
GLUSTERFS: SourceRow = row("glusterfs", "glusterfs", validate_glusterfs)
FLOCKER: SourceRow = row("flocker", "flocker", validate_flocker)
RBD: SourceRow = row("rbd", "rbd", validate_rbd)
CEPHFS: SourceRow = ("cephfs", "cephFS", "cephfs", needs(("monitors", "monitors")))
QUOBYTE: SourceRow = row("quobyte", "quobyte", validate_quobyte)
FC: SourceRow = row("fc", "fc", validate_fc)
FLEX_VOLUME: SourceRow = row("flex_volume", "flexVolume", validate_flex)
AZURE_FILE: SourceRow = row("azure_file", "azureFile", validate_azure_file)
VSPHERE_VOLUME: SourceRow = row("vsphere_volume", "vsphereVolume", needs(("volume_path", "volumePath")))
PHOTON_PERSISTENT_DISK: SourceRow = row("photon_persistent_disk", "photonPersistentDisk", needs(("pd_id", "pdID")))
PORTWORX_VOLUME: SourceRow = row("portworx_volume", "portworxVolume", needs(("volume_id", "volumeID")))
AZURE_DISK: SourceRow = row("azure_disk", "azureDisk", validate_azure_disk)
SCALE_IO: SourceRow = row("scale_io", "scaleIO", scale_io)
