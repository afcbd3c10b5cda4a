"""What single plug-ins do where the recorded scenarios do not reach."""

from __future__ import annotations

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pybernetes.api.kinds import kind_of
from pybernetes.api.status import StatusError
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.api.types.core_v1 import Binding, ConfigMap, Namespace, Node, PersistentVolumeClaim, Pod, ServiceAccount
from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding
from pybernetes.api.types.resource_v1 import ResourceClaim, ResourceClaimTemplate
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.order import default_plugins
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.environment.chance import Chance
from pybernetes.environment.refusal import Refused

ALICE = UserInfo("alice", groups=("system:authenticated",))


def make(type_, name: str = "x", namespace: str | None = None, **rest):
    meta = {"name": name, "namespace": namespace, **rest.pop("metadata", {})}
    return msgspec.convert({"metadata": {key: value for key, value in meta.items() if value}, **rest}, type_)


def writing(operation: str, obj, old=None, subresource: str = "") -> AdmissionRequest:
    shown = obj or old
    return AdmissionRequest(
        operation=operation,
        kind=kind_of(type(shown)),
        subresource=subresource,
        namespace=shown.metadata.namespace or "",
        name=shown.metadata.name or "",
        user=ALICE,
        object=obj,
        old_object=old,
    )


@pytest.fixture
def run(reader):
    """Runs a write through all plug-ins, as the write path does."""
    plugins = default_plugins(reader, Authorizer(reader), Chance(1), enable=("NodeRestriction",))

    async def run(request: AdmissionRequest) -> None:
        chosen = [plugin for plugin in plugins if plugin.handles(request)]
        for plugin in chosen:
            await plugin.admit(request)
        for plugin in chosen:
            await plugin.validate(request)

    return run


async def refusal(run, request: AdmissionRequest) -> str:
    with pytest.raises(StatusError) as error:
        await run(request)
    return str(error.value)


async def test_nothing_is_made_where_there_is_no_namespace_or_it_is_going(run, reader):
    request = writing("CREATE", make(ConfigMap, namespace="ns"))
    assert await refusal(run, request) == 'namespaces "ns" not found'
    reader.objects.append(make(Namespace, "ns", status={"phase": "Terminating"}))
    assert await refusal(run, request) == (
        'configmaps "x" is forbidden: unable to create new content in namespace ns because it is being terminated'
    )
    old = make(ConfigMap, namespace="ns")
    await run(writing("UPDATE", old, old))
    await run(writing("DELETE", None, old))


async def test_some_namespaces_stay(run):
    request = writing("DELETE", None, make(Namespace, "kube-system"))
    assert await refusal(run, request) == 'namespaces "kube-system" is forbidden: this namespace may not be deleted'
    await run(writing("DELETE", None, make(Namespace, "other")))


async def test_a_bound_pod_gets_the_zone_of_its_node(run, reader):
    labels = {"topology.kubernetes.io/zone": "z", "other": "o"}
    reader.objects += [make(Namespace, "ns"), make(Node, "n", metadata={"labels": labels})]
    binding = make(Binding, namespace="ns", target={"kind": "Node", "name": "n"})
    request = writing("CREATE", binding, None, "binding")
    request.kind = kind_of(Pod)
    await run(request)
    assert binding.metadata.labels == {"topology.kubernetes.io/zone": "z"}


async def test_claims_get_the_newest_default_class_and_grow_where_it_lets_them(run, reader):
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    reader.objects += [
        make(Namespace, "ns"),
        make(StorageClass, "a", metadata={"annotations": default, "creationTimestamp": "2026-01-01T00:00:00Z"}),
        make(
            StorageClass,
            "b",
            allowVolumeExpansion=True,
            metadata={"annotations": default, "creationTimestamp": "2026-01-02T00:00:00Z"},
        ),
    ]

    def claim(size: str, **spec):
        return make(PersistentVolumeClaim, namespace="ns", spec={"resources": {"requests": {"storage": size}}, **spec})

    new = claim("1Gi")
    await run(writing("CREATE", new))
    assert (new.spec.storage_class_name, new.metadata.finalizers) == ("b", ["kubernetes.io/pvc-protection"])
    await run(writing("UPDATE", claim("2Gi", storageClassName="b"), new))
    fixed = claim("1Gi", storageClassName="a")
    assert "only dynamically provisioned pvc can be resized" in await refusal(
        run, writing("UPDATE", claim("2Gi", storageClassName="a"), fixed)
    )


SECRET = {"valueFrom": {"secretKeyRef": {"name": "theirs", "key": "k"}}}


@pytest.mark.parametrize(
    ("spec", "subresource", "said"),
    [
        ({"volumes": [{"name": "v", "secret": {"secretName": "own"}}]}, "", ""),
        ({"volumes": [{"name": "v", "secret": {"secretName": "theirs"}}]}, "", "volume with"),
        (
            {"containers": [{"name": "c", "env": [{"name": "E", **SECRET}]}]},
            "",
            "container c with envVar E referencing",
        ),
        (
            {"initContainers": [{"name": "i", "envFrom": [{"secretRef": {"name": "theirs"}}]}]},
            "",
            "init container i with envFrom referencing",
        ),
        (
            {"ephemeralContainers": [{"name": "e", "env": [{"name": "E", **SECRET}]}]},
            "ephemeralcontainers",
            "ephemeral container e with envVar E referencing",
        ),
        ({"imagePullSecrets": [{"name": "theirs"}]}, "", "imagePullSecrets[0].name="),
    ],
)
async def test_an_account_may_keep_its_pods_to_its_own_secrets(run, reader, spec, subresource, said):
    notes = {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
    account = make(ServiceAccount, "a", "ns", metadata=notes, secrets=[{"name": "own"}])
    reader.objects += [make(Namespace, "ns"), account]
    pod = make(Pod, "p", "ns", spec={"containers": [], "serviceAccountName": "a", **spec})
    request = writing("UPDATE", pod, pod, subresource) if subresource else writing("CREATE", pod)
    if not said:
        await run(request)
        return
    refused = await refusal(run, request)
    assert f": {said}" in refused
    assert "is not allowed because service account a does not reference that" in refused
    account.metadata.annotations.clear()
    await run(request)


async def test_a_mirror_pod_refers_to_no_secret_in_any_way(run, reader):
    reader.objects.append(make(Namespace, "ns"))
    meta = {"annotations": {"kubernetes.io/config.mirror": "x"}}
    container = {"name": "c", "env": [{"name": "E", **SECRET}]}
    pod = make(Pod, "p", "ns", metadata=meta, spec={"containers": [container]})
    assert "a mirror pod may not reference secrets" in await refusal(run, writing("CREATE", pod))


async def test_there_is_one_default_priority_whatever_it_is_called(run, reader):
    default = make(PriorityClass, "d", globalDefault=True)
    reader.objects.append(default)
    assert "is already marked as default" in await refusal(run, writing("CREATE", default))
    await run(writing("UPDATE", default, default))


async def test_a_runtime_brings_tolerations_and_the_wider_ones_stay(run, reader):
    tolerated = [
        {"key": "t", "operator": "Exists"},
        {"key": "u", "operator": "Equal", "value": "1", "effect": "NoSchedule"},
    ]
    reader.objects += [
        make(Namespace, "ns"),
        make(ServiceAccount, "default", "ns"),
        make(RuntimeClass, "r", handler="h", scheduling={"tolerations": tolerated}),
    ]
    own = [{"key": "t", "operator": "Equal", "value": "x", "effect": "NoSchedule"}, {"key": "u", "operator": "Exists"}]
    pod = make(Pod, "p", "ns", spec={"containers": [], "runtimeClassName": "r", "tolerations": own})
    await run(writing("CREATE", pod))
    shown = [(item.key, item.operator) for item in pod.spec.tolerations if not item.toleration_seconds]
    assert shown == [("u", "Exists"), ("t", "Exists")]


def signing_request(*groups: str) -> CertificateSigningRequest:
    name = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder(x509.Name(name))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    obj = make(CertificateSigningRequest, spec={"signerName": "kubernetes.io/kube-apiserver-client"})
    obj.spec.request = signed.public_bytes(serialization.Encoding.PEM)
    return obj


async def test_certificates_need_the_signers_consent_and_make_no_masters(run):
    wanted = signing_request("dev")
    await run(writing("CREATE", wanted))
    assert await refusal(run, writing("CREATE", signing_request("system:masters"))) == (
        'certificatesigningrequests.certificates.k8s.io "x" is forbidden: '
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )
    signer = 'requests with signerName "kubernetes.io/kube-apiserver-client"'
    assert f"user not permitted to approve {signer}" in await refusal(
        run, writing("UPDATE", wanted, wanted, "approval")
    )
    issued = msgspec.structs.replace(wanted, status=type(wanted.status)(certificate=b"x"))
    assert f"user not permitted to sign {signer}" in await refusal(run, writing("UPDATE", issued, wanted, "status"))


def sized(cpu: str, *, generation: int, **more) -> Pod:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
    spec = {"containers": [container], "nodeName": "n", **more}
    return make(Pod, "p", "ns", metadata={"generation": generation}, spec=spec)


async def test_pods_are_not_resized_beyond_their_node(run, reader):
    reader.objects += [
        make(Namespace, "ns"),
        make(Node, "n", metadata={"labels": {"kubernetes.io/os": "linux"}}, status={"allocatable": {"cpu": "2"}}),
    ]
    old = sized("1", generation=1)
    await run(writing("UPDATE", sized("9", generation=1), old, "resize"))
    reader.objects[-1].status.allocatable["memory"] = "1Gi"
    await run(writing("UPDATE", sized("2", generation=2), old, "resize"))
    with pytest.raises(StatusError) as error:
        await run(writing("UPDATE", sized("2001m", generation=2), old, "resize"))
    assert error.value.status.message == (
        'pods "p" is forbidden: Node didn\'t have enough allocatable resources: cpu, requested: 2001, allocatable: 2000'
    )
    assert [cause.reason for cause in error.value.status.details.causes] == ["NodeCapacity"]
    reader.objects[-1].metadata.labels["kubernetes.io/os"] = "windows"
    assert "only supported on linux nodes" in await refusal(
        run, writing("UPDATE", sized("2", generation=2), old, "resize")
    )


async def test_only_labelled_namespaces_may_claim_devices_as_administrators(run, reader):
    reader.objects.append(make(Namespace, "ns"))
    rule = {"apiGroups": ["resource.k8s.io"], "resources": ["resourceclaims/binding"], "verbs": ["update"]}
    binding = {"roleRef": {"kind": "ClusterRole", "name": "x"}, "subjects": [{"kind": "User", "name": ALICE.name}]}
    reader.objects += [make(ClusterRole, rules=[rule]), make(ClusterRoleBinding, **binding)]
    wish = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "c", "adminAccess": True}}]}}
    result = {"request": "gpu", "driver": "d", "pool": "p", "device": "gpu-0", "adminAccess": True}
    claim = make(ResourceClaim, namespace="ns", spec=wish)
    granted = make(ResourceClaim, namespace="ns", status={"allocation": {"devices": {"results": [result]}}})
    requests = [
        writing("CREATE", claim),
        writing("CREATE", make(ResourceClaimTemplate, namespace="ns", spec={"spec": wish})),
        writing("UPDATE", granted, make(ResourceClaim, namespace="ns"), "status"),
    ]
    for request in requests:
        assert "requires the `resource.kubernetes.io/admin-access: true` label" in await refusal(run, request)
    await run(writing("UPDATE", granted, granted, "status"))
    await run(writing("UPDATE", claim, claim))
    reader.objects[0].metadata.labels["resource.kubernetes.io/admin-access"] = "true"
    for request in requests:
        await run(request)


def test_unknown_plugins_are_named(reader):
    for name in ("Nosuch", "MutatingAdmissionWebhook"):
        with pytest.raises(Refused, match=f'enable-admission-plugins plugin "{name}" is unknown'):
            default_plugins(reader, Authorizer(reader), Chance(1), enable=(name,))
    with pytest.raises(Refused, match='disable-admission-plugins plugin "Nosuch" is unknown'):
        default_plugins(reader, Authorizer(reader), Chance(1), disable=("Nosuch",))


def test_plugins_can_be_left_out_also_those_that_are_not_there(reader):
    disable = ("Priority", "MutatingAdmissionWebhook")
    names = [plugin.name for plugin in default_plugins(reader, Authorizer(reader), Chance(1), disable=disable)]
    assert "Priority" not in names
    assert "NodeRestriction" not in names
