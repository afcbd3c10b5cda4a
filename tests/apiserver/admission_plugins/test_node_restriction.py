"""What a kubelet that has been taken over cannot write."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.apiserver.admission_plugins.test_plugins import make, writing

from pybernetes.api.status import StatusError
from pybernetes.api.types.authentication_v1 import TokenRequest
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim, Pod, ServiceAccount
from pybernetes.api.types.resource_v1 import ResourceSlice
from pybernetes.api.types.storage_v1 import CSIDriver
from pybernetes.apiserver.admission_plugins.node_restriction import NodeRestriction
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer

KUBELET = UserInfo("system:node:n1", groups=("system:nodes", "system:authenticated"))


@pytest.fixture
def refusal(reader):
    """What the plug-in says to a kubelet's write; empty when it lets it pass."""
    plugin = NodeRestriction(reader, Authorizer(reader))

    async def refusal(operation: str, obj, old=None, subresource: str = "") -> str:
        request = replace(writing(operation, obj, old, subresource), user=KUBELET)
        try:
            await plugin.admit(request)
        except StatusError as error:
            return str(error).partition(": ")[2]
        return ""

    return refusal


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("kubernetes.io/hostname", True),
        ("node.kubernetes.io/x", True),
        ("example.com/x", True),
        ("node-role.kubernetes.io/control-plane", False),
        ("node-restriction.kubernetes.io/x", False),
        ("a.node-restriction.kubernetes.io/x", False),
        ("x.k8s.io/y", False),
    ],
)
async def test_it_does_not_label_itself_as_it_likes(refusal, label: str, allowed: bool) -> None:
    labelled = make(Node, "n1", metadata={"labels": {label: ""}})
    for said in (await refusal("CREATE", labelled), await refusal("UPDATE", labelled, make(Node, "n1"))):
        assert (said == "") is allowed
        assert allowed or said.endswith(f"labels: {label}")


async def test_it_says_nothing_of_other_nodes_and_keeps_its_taints(refusal) -> None:
    assert await refusal("UPDATE", make(Node, "n2"), make(Node, "n2"), "status") == (
        'node "n1" is not allowed to modify node "n2"'
    )
    tainted = make(Node, "n1", spec={"taints": [{"key": "k", "effect": "NoSchedule"}]})
    assert await refusal("UPDATE", make(Node, "n1"), tainted) == 'node "n1" is not allowed to modify taints'


async def test_it_makes_no_pods_but_its_own_mirrors_without_secrets(refusal, reader) -> None:
    node = make(Node, "n1", metadata={"uid": "u"})
    reader.objects.append(node)
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u", "controller": True}
    meta = {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner]}

    def mirror(**spec) -> Pod:
        return make(Pod, "m", "ns", metadata=meta, spec={"nodeName": "n1", "containers": [], **spec})

    assert await refusal("CREATE", mirror()) == ""
    assert "can only create mirror pods" in await refusal("CREATE", make(Pod, "m", "ns", spec={"nodeName": "n1"}))
    assert "with spec.nodeName set to itself" in await refusal("CREATE", mirror(nodeName="n2"))
    assert await refusal("UPDATE", mirror(), mirror()) == (
        'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods'
    )
    owner["blockOwnerDeletion"] = True
    assert "must not set blockOwnerDeletion" in await refusal("CREATE", mirror())
    owner |= {"blockOwnerDeletion": False, "uid": "v"}
    assert await refusal("CREATE", mirror()) == "node n1 UID mismatch: expected v got u"


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"serviceAccountName": "admin"}, "serviceaccounts"),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, "secrets"),
        ({"volumes": [{"name": "v", "iscsi": {"secretRef": {"name": "s"}}}]}, "secrets"),
        ({"volumes": [{"name": "v", "configMap": {"name": "c"}}]}, "configmaps"),
        ({"resourceClaims": [{"name": "c", "resourceClaimName": "theirs"}]}, "resourceclaims"),
        ({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}, "persistentvolumeclaims"),
        ({"volumes": [{"name": "v", "ephemeral": {}}]}, "persistentvolumeclaims (via ephemeral volumes)"),
        ({"volumes": [{"name": "v", "csi": {"driver": "d"}}]}, "csidrivers (via CSI volumes)"),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "serviceaccounts (via projected volumes)",
        ),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w", "emptyDir": {}}]}, ""),
    ],
)
async def test_its_mirror_pods_refer_to_nothing(refusal, reader, spec: dict, what: str) -> None:
    reader.objects.append(make(Node, "n1", metadata={"uid": "u"}))
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u", "controller": True}
    meta = {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner]}
    pod = make(Pod, "m", "ns", metadata=meta, spec={"nodeName": "n1", "containers": [], **spec})
    assert await refusal("CREATE", pod) == (f'node "n1" can not create pods that reference {what}' if what else "")


async def test_a_pod_that_is_gone_is_not_found(reader) -> None:
    request = replace(writing("DELETE", None, make(Pod, "p", "ns", spec={"nodeName": "n1"})), user=KUBELET)
    with pytest.raises(StatusError, match='pods "p" not found'):
        await NodeRestriction(reader, Authorizer(reader)).admit(request)


@pytest.mark.parametrize(
    ("signer", "name", "allowed"),
    [
        ("kubernetes.io/kubelet-serving", "system:node:n1", True),
        ("kubernetes.io/kubelet-serving", "system:node:n2", False),
        ("kubernetes.io/kube-apiserver-client-kubelet", "admin", False),
        ("example.com/other", "admin", True),
    ],
)
async def test_it_asks_for_certificates_of_its_own_name(refusal, signer: str, name: str, allowed: bool) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = x509.CertificateSigningRequestBuilder(subject).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    wanted = make(CertificateSigningRequest, spec={"signerName": signer})
    wanted.spec.request = signed.public_bytes(Encoding.PEM)
    said = await refusal("CREATE", wanted)
    assert said == ("" if allowed else "can only create a node CSR with CN=system:node:n1")


@pytest.mark.parametrize(
    ("obj", "subresource", "said"),
    [
        (make(Lease, "n1", "kube-node-lease"), "", ""),
        (make(Lease, "n1", "ns"), "", 'can only access leases in the "kube-node-lease" system namespace'),
        (make(PersistentVolumeClaim, "c", "ns"), "", "may only update PVC status"),
        (
            make(Pod, "p", "ns"),
            "resize",
            "unexpected pod subresource \"resize\", only 'status' and 'eviction' are allowed",
        ),
    ],
)
async def test_it_writes_nothing_that_is_not_its_business(refusal, obj, subresource: str, said: str) -> None:
    assert await refusal("UPDATE", obj, obj, subresource) == said


async def test_it_gives_its_pods_no_claims(refusal) -> None:
    old = make(Pod, "p", "ns", spec={"nodeName": "n1"})
    new = make(
        Pod,
        "p",
        "ns",
        spec={"nodeName": "n1"},
        status={"resourceClaimStatuses": [{"name": "c", "resourceClaimName": "somebodys"}]},
    )
    assert await refusal("UPDATE", new, old, "status") == 'node "n1" cannot update resource claim statues'


async def test_it_tells_of_a_claim_how_it_grew_and_nothing_else(refusal) -> None:
    old = make(PersistentVolumeClaim, "c", "ns", status={"phase": "Bound"})
    grown = make(PersistentVolumeClaim, "c", "ns", status={"phase": "Bound", "capacity": {"storage": "2Gi"}})
    assert await refusal("UPDATE", grown, old, "status") == ""
    lost = make(PersistentVolumeClaim, "c", "ns", status={"phase": "Lost"})
    assert "is not allowed to update fields other than" in await refusal("UPDATE", lost, old, "status")


async def test_its_resource_slices_are_its_own(refusal) -> None:
    own = make(ResourceSlice, "s", spec={"driver": "d", "nodeName": "n1"})
    other = make(ResourceSlice, "s", spec={"driver": "d", "nodeName": "n2"})
    assert await refusal("CREATE", own) == ""
    assert (
        await refusal("CREATE", other) == "can only create ResourceSlice with the same NodeName as the requesting node"
    )


async def test_it_gets_tokens_for_its_pods_and_their_audiences(refusal, reader) -> None:
    sources = [{"serviceAccountToken": {"path": "t", "audience": "vault"}}, {"serviceAccountToken": {"path": "u"}}]
    claimed = {"name": "w", "persistentVolumeClaim": {"claimName": "c"}}
    spec = {"nodeName": "n1", "volumes": [{"name": "v", "projected": {"sources": sources}}, claimed]}
    reader.objects += [
        make(Pod, "p", "ns", metadata={"uid": "u"}, spec=spec),
        make(PersistentVolumeClaim, "c", "ns", spec={"volumeName": "pv"}),
        make(PersistentVolume, "pv", spec={"csi": {"driver": "disks.io"}}),
        make(CSIDriver, "disks.io", spec={"tokenRequests": [{"audience": "disks"}]}),
    ]
    account = make(ServiceAccount, "a", "ns")

    async def asked(*audiences: str) -> str:
        bound = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
        wanted = make(TokenRequest, "a", "ns", spec={"audiences": list(audiences), "boundObjectRef": bound})
        request = replace(writing("CREATE", account, None, "token"), user=KUBELET, object=wanted)
        try:
            await NodeRestriction(reader, Authorizer(reader)).admit(request)
        except StatusError as error:
            return str(error).partition(": ")[2]
        return ""

    assert (await asked(), await asked("vault"), await asked("disks")) == ("", "", "")
    assert await asked("bank") == (
        'audience "bank" not found in pod spec volume, '
        "system:node:n1 is not authorized to request tokens for this audience"
    )
    assert await asked("vault", "bank") == "node may only request 0 or 1 audiences"
