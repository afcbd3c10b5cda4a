"""The set-up of `admission/`: what kube-controller-manager did beside the recorded steps."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import CONTROLLERS, MERGE, before, config_map, pod


@before("admission/noderestriction", 0)
async def _nodes_and_pods(ground: Ground) -> None:
    await ground.namespace("adm-node")
    await ground.call("POST", "/api/v1/nodes", {"metadata": {"name": "node-2"}})
    shown = ground.steps[24].response["body"]
    root = {"metadata": {key: shown["metadata"][key] for key in ("name", "annotations")}, "data": {"ca.crt": "x"}}
    path = "/api/v1/namespaces/adm-node"
    await ground.send("POST", f"{path}/configmaps", root, user_agent=CONTROLLERS)


@before("admission/noderestriction", 3)
async def _ttl_controller(ground: Ground) -> None:
    body = {"metadata": {"annotations": {"node.alpha.kubernetes.io/ttl": "0"}}}
    strategic = "application/strategic-merge-patch+json"
    await ground.send("PATCH", "/api/v1/nodes/node-1", body, user_agent=CONTROLLERS, content_type=strategic)


@before("admission/noderestriction", 14)
async def _pods_on_nodes(ground: Ground) -> None:
    for name, node, secret in (("mine", "node-1", "s1"), ("theirs", "node-2", "s2")):
        secret_of = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": secret, "namespace": "adm-node"}}
        await ground.create(secret_of)
        volumes = [{"name": "s", "secret": {"secretName": secret}}]
        await ground.create(pod(name, "adm-node", node=node, volumes=volumes))


_SECURITY = {
    "ps-baseline": {"enforce": "baseline"},
    "ps-restricted": {"enforce": "restricted"},
    "ps-warn": {"warn": "restricted", "warn-version": "v1.25", "audit": "baseline"},
}


@before("admission/podsecurity", 0)
async def _secured_namespaces(ground: Ground) -> None:
    for name, levels in _SECURITY.items():
        labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
        body = {"metadata": {"name": name, "labels": labels}}
        await ground.call("POST", "/api/v1/namespaces", body)
        await ground.namespace(name)


_QUOTA = "admission/resourcequota"


@before(_QUOTA)
async def _quota_controller(ground: Ground) -> None:
    ground.start_controllers()
    for name in ("adm-rq", "adm-rq2"):
        await ground.create(config_map("kube-root-ca.crt", name))
    await ground.settle()


# The controllers have counted what the steps before have written.
for _step in (1, 9, 24, 26, 34):

    @before(_QUOTA, _step)
    async def _counted(ground: Ground) -> None:
        await ground.settle(6)


@before("admission/misc", 2)
async def _signed_request(ground: Ground) -> None:
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/m/status"
    body = {"status": {"certificate": base64.b64encode(_issued()).decode()}}
    await ground.send("PATCH", path, body, user_agent=CONTROLLERS, content_type=MERGE)


def _issued() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")])
    key = ec.derive_private_key(12, ec.SECP256R1())
    since, until = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, since, until)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


_ADMISSION = "admission/serviceaccount-priority-tolerations"


@before(_ADMISSION, 20)
async def _default_class_gone(ground: Ground) -> None:
    await ground.call("DELETE", "/apis/scheduling.k8s.io/v1/priorityclasses/dflt")


@before(_ADMISSION, 32)
async def _a_second_later(ground: Ground) -> None:
    await ground.settle(1)


@before(_ADMISSION, 36)
async def _claim_bound(ground: Ground) -> None:
    path = "/api/v1/namespaces/adm-misc/persistentvolumeclaims/def"
    await ground.send("PATCH", f"{path}/status", {"status": {"phase": "Bound"}}, content_type=MERGE)


@before("admission/validatingadmissionpolicy", 0)
async def _policed_namespace(ground: Ground) -> None:
    ground.start_controllers()
    labels = {"metadata": {"labels": {"vap": "on"}}}
    await ground.send("PATCH", "/api/v1/namespaces/adm-vap", labels, content_type=MERGE)
    await ground.settle()
    await ground.create(config_map("keep", "adm-vap"))


@before("admission/validatingadmissionpolicy", 24)
async def _params(ground: Ground) -> None:
    await ground.create({**config_map("params", "adm-vap"), "data": {"max": "3"}})


@before("admission/mutatingadmissionpolicy", 0)
async def _mutated_namespace(ground: Ground) -> None:
    labels = {"metadata": {"labels": {"map": "on"}}}
    await ground.send("PATCH", "/api/v1/namespaces/adm-map", labels, content_type=MERGE)
