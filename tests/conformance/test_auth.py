"""[sig-auth] ServiceAccounts, their tokens and issuer; certificates; reviews."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

from tests.conformance.bodies import pod
from tests.conformance.driving import Api, Json, Simulated, alone, simulated

CERTIFICATES = "certificates.k8s.io/v1"
SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "e2e.example.com")])


@alone
async def test_lifecycle_of_a_service_account(api: Api) -> None:
    """ServiceAccounts should run through the lifecycle of a ServiceAccount."""
    place = api.at("v1", "serviceaccounts")
    body = {"metadata": {"name": "testserviceaccount", "labels": {"test-serviceaccount-static": "true"}}}
    made = await api.post(place, body)
    assert (await api.get(f"{place}/testserviceaccount"))["metadata"]["uid"] == made["metadata"]["uid"]
    chosen = "labelSelector=test-serviceaccount-static%3Dtrue"
    async with api.watch(f"{place}?{chosen}&timeoutSeconds=180") as watching:
        await watching.until("ADDED")
        await api.patch(f"{place}/testserviceaccount", {"automountServiceAccountToken": False}, "strategic")
        await watching.until("MODIFIED")
        listed = await api.items(f"/api/v1/serviceaccounts?{chosen}")
        assert [each["automountServiceAccountToken"] for each in listed] == [False]
        await api.delete(place)
        await watching.until("DELETED")


@alone
async def test_a_service_account_is_updated(api: Api) -> None:
    """ServiceAccounts should update a ServiceAccount."""
    body = {"metadata": {"name": "e2e-sa"}, "automountServiceAccountToken": False}
    await api.post(api.at("v1", "serviceaccounts"), body)

    def change(obj: Json) -> None:
        assert obj["automountServiceAccountToken"] is False
        obj["automountServiceAccountToken"] = True

    updated = await api.edit(api.at("v1", "serviceaccounts", "e2e-sa"), change)
    assert updated["automountServiceAccountToken"] is True


@simulated
async def test_every_namespace_has_the_authority(api: Simulated) -> None:
    """ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace."""
    path = api.at("v1", "configmaps", "kube-root-ca.crt")
    await api.delete(path, gracePeriodSeconds=0)

    async def there() -> bool:
        return not await api.gone(path)

    async def right() -> bool:
        return bool((await api.get(path))["data"]["ca.crt"])

    await api.until(there, 30)
    await api.put(path, {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}})
    await api.until(right, 30)


MOUNT = {"default": None, "mount": True, "nomount": False}


@pytest.mark.parametrize(("account", "wish"), list(itertools.product(MOUNT, MOUNT)))
def test_tokens_are_mounted_unless_nobody_wants_them(account: str, wish: str) -> None:
    """ServiceAccounts should allow opting out of API token automount; should mount an API token into pods."""

    async def story(api: Api) -> None:
        if account != "default":
            body = {"metadata": {"name": account}, "automountServiceAccountToken": MOUNT[account]}
            await api.post(api.at("v1", "serviceaccounts"), body)
        said = {} if MOUNT[wish] is None else {"automountServiceAccountToken": MOUNT[wish]}
        made = await api.post(api.at("v1", "pods"), pod("p", serviceAccountName=account, **said))
        decisive = MOUNT[account] if MOUNT[wish] is None else MOUNT[wish]
        mounts = [each["mountPath"] for each in made["spec"]["containers"][0].get("volumeMounts", [])]
        assert ("/var/run/secrets/kubernetes.io/serviceaccount" in mounts) == (decisive is not False)
        for volume in made["spec"].get("volumes", []):
            sources = volume["projected"]["sources"]
            assert [next(iter(source)) for source in sources] == ["serviceAccountToken", "configMap", "downwardAPI"]

    alone(story)()


async def token_of(api: Api, **spec: Any) -> str:
    path = api.at("v1", "serviceaccounts", "default", "token")
    answer = await api.post(path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
    return str(answer["status"]["token"])


@alone
async def test_a_token_is_made_and_reviewed(api: Api) -> None:
    """ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview; should mount projected
    service account token."""
    await api.post(api.at("v1", "pods"), pod("bound"))
    uid = (await api.get(api.at("v1", "pods", "bound")))["metadata"]["uid"]
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "bound", "uid": uid}
    token = await token_of(api, expirationSeconds=3600, boundObjectRef=bound)
    review = {"spec": {"token": token}}
    reviewed = await api.post(api.root("authentication.k8s.io/v1", "tokenreviews"), review)
    assert reviewed["status"]["authenticated"] is True and not reviewed["status"].get("error")
    user = reviewed["status"]["user"]
    assert user["username"] == f"system:serviceaccount:{api.namespace}:default"
    assert user["groups"] == [
        "system:serviceaccounts",
        f"system:serviceaccounts:{api.namespace}",
        "system:authenticated",
    ]
    assert user["extra"]["authentication.kubernetes.io/pod-name"] == ["bound"]
    other = await token_of(api, audiences=["https://other.example"])
    refused = await api.post(api.root("authentication.k8s.io/v1", "tokenreviews"), {"spec": {"token": other}})
    assert not refused["status"].get("authenticated")


def part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@alone
async def test_discovery_of_the_issuer(api: Api) -> None:
    """ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer."""
    token = await token_of(api, audiences=["oidc-discovery-test"])
    head, claims, signature = token.split(".")
    bearer = {"authorization": f"Bearer {await token_of(api)}", "accept": "*/*"}
    peer, api.peer = api.peer, type(api.peer)()  # as the pod asks: with its own token
    settings = await api.get("/.well-known/openid-configuration", **bearer)
    keys = await api.get("/openid/v1/jwks", **bearer)
    api.peer = peer
    said = msgspec.json.decode(part(claims))
    assert said["iss"] == settings["issuer"] and said["aud"] == ["oidc-discovery-test"]
    assert settings["jwks_uri"].endswith("/openid/v1/jwks")
    key = next(each for each in keys["keys"] if each["kid"] == msgspec.json.decode(part(head))["kid"])
    x, y = (int.from_bytes(part(key[name])) for name in ("x", "y"))
    raw = part(signature)
    pair = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(encode_dss_signature(*pair), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


@alone
async def test_certificate_signing_requests(api: Api) -> None:
    """Certificates API should support CSR API operations."""
    found = {each["name"] for each in (await api.get(f"/apis/{CERTIFICATES}"))["resources"]}
    assert found >= {f"certificatesigningrequests{sub}" for sub in ("", "/approval", "/status")}
    place = api.root(CERTIFICATES, "certificatesigningrequests")
    chosen = f"{place}?fieldSelector=spec.signerName%3Dexample.com%2Fe2e"
    made = [await api.post(place, signing_request()) for _ in range(3)][2]
    path, uid = f"{place}/{made['metadata']['name']}", made["metadata"]["uid"]
    got = await api.get(path)
    assert (got["metadata"]["uid"], got["spec"]["expirationSeconds"]) == (uid, 3600)
    listed = await api.get(chosen)
    assert len(listed["items"]) == 3
    since, name = listed["metadata"]["resourceVersion"], made["metadata"]["name"]
    async with api.watch(f"{place}?resourceVersion={since}&fieldSelector=metadata.name%3D{name}") as watching:
        patched = await api.patch(path, {"metadata": {"annotations": {"patched": "true"}}})
        patched["metadata"]["annotations"]["updated"] = "true"
        assert (await api.put(path, patched))["metadata"]["annotations"]["updated"] == "true"
        kind, obj = await watching.next()
        assert (kind, obj["metadata"]["annotations"]) == ("MODIFIED", {"patched": "true"})
    await approve(api, path, uid)
    await give_certificate(api, path, uid)
    await api.delete(path)
    assert await api.gone(path)
    assert len(await api.items(chosen)) == 2
    await api.delete(chosen)
    assert not await api.items(chosen)


def signing_request() -> Json:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(SUBJECT).sign(key, hashes.SHA256())
    text = base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
    usages = ["digital signature", "key encipherment", "server auth"]
    spec = {"request": text, "signerName": "example.com/e2e", "expirationSeconds": 3600, "usages": usages}
    return {"metadata": {"generateName": "e2e-example-csr-"}, "spec": spec}


async def approve(api: Api, path: str, uid: str) -> None:
    got = await api.get(f"{path}/approval")
    assert (got["apiVersion"], got["kind"], got["metadata"]["uid"]) == (CERTIFICATES, "CertificateSigningRequest", uid)
    change = {"conditions": [{"type": "ApprovalPatch", "status": "True", "reason": "e2e"}]}
    body = {"metadata": {"annotations": {"patchedapproval": "true"}}, "status": change}
    patched = await api.patch(f"{path}/approval", body)
    assert [each["type"] for each in patched["status"]["conditions"]] == ["ApprovalPatch"]
    assert patched["metadata"]["annotations"]["patchedapproval"] == "true"
    approved = {"type": "Approved", "status": "True", "reason": "E2E", "message": "Set from an e2e test"}
    patched["status"]["conditions"].append(approved)
    updated = await api.put(f"{path}/approval", patched)
    assert [each["type"] for each in updated["status"]["conditions"]] == ["ApprovalPatch", "Approved"]


async def give_certificate(api: Api, path: str, uid: str) -> None:
    got = await api.get(f"{path}/status")
    assert (got["kind"], got["metadata"]["uid"]) == ("CertificateSigningRequest", uid)
    certificate = base64.b64encode(self_signed()).decode()
    body = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"certificate": certificate}}
    patched = await api.patch(f"{path}/status", body)
    assert patched["status"]["certificate"] == certificate
    assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
    update = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from an e2e test"}
    patched["status"]["conditions"].append(update)
    updated = await api.put(f"{path}/status", patched)
    assert [each["type"] for each in updated["status"]["conditions"]] == ["ApprovalPatch", "Approved", "StatusUpdate"]


def self_signed() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateBuilder(SUBJECT, SUBJECT, key.public_key(), x509.random_serial_number())
    lasting = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2040, 1, 1, tzinfo=UTC)
    )
    return lasting.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@alone
async def test_subject_reviews_tell_what_happens(api: Api) -> None:
    """SubjectReview should support SubjectReview API operations."""
    made = await api.post(api.at("v1", "serviceaccounts"), {"metadata": {"name": "e2e"}})
    user, uid = f"system:serviceaccount:{api.namespace}:e2e", made["metadata"]["uid"]
    groups = ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{api.namespace}"]
    asked = {"verb": "list", "resource": "configmaps", "namespace": api.namespace, "version": "v1"}
    spec = {"resourceAttributes": asked, "user": user, "groups": groups, "uid": uid}
    review = await api.post(api.root("authorization.k8s.io/v1", "subjectaccessreviews"), {"spec": spec})
    headers = {"impersonate-user": user, "impersonate-uid": uid, "impersonate-group": ",".join(groups[:1])}
    response = await api.send("GET", api.at("v1", "configmaps"), None, headers)
    assert (response.status == 403) == (not review["status"]["allowed"])
    local = {"metadata": {"namespace": api.namespace}, "spec": {**spec, "user": "e2e"}}
    answer = await api.post(api.at("authorization.k8s.io/v1", "localsubjectaccessreviews"), local)
    assert answer["status"]["allowed"] == review["status"]["allowed"]
