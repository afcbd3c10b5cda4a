"""Credentials in, users out."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pybernetes.api.status import StatusError
from pybernetes.api.types.authentication_v1 import BoundObjectReference, TokenRequest, TokenRequestSpec
from pybernetes.api.types.core_v1 import Node, Pod, PodSpec, Secret, ServiceAccount
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.wire import Peer, Request
from pybernetes.apiserver.request import ANONYMOUS, UserInfo
from pybernetes.apiserver.stages.authentication import (
    Authenticator,
    BootstrapTokens,
    ServiceAccountTokens,
    StaticTokens,
)
from pybernetes.apiserver.stages.jws import InvalidToken
from pybernetes.apiserver.stages.service_account_tokens import TokenIssuer
from pybernetes.apiserver.stages.static_tokens import parse_token_file
from pybernetes.apiserver.stages.token_requests import complete_request, request_token
from pybernetes.controllers.legacy_token import legacy_token
from pybernetes.environment.chance import Chance

ISSUER = "https://kubernetes.default.svc.cluster.local"


def pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


KEYS = {"ES256": pem(ec.generate_private_key(ec.SECP256R1())), "RS256": pem(rsa.generate_private_key(65537, 2048))}


@pytest.fixture
def issuer(manual_clock):
    return TokenIssuer(KEYS["ES256"], ISSUER, manual_clock, Chance(1))


@pytest.fixture
def account(reader):
    account = ServiceAccount(metadata=ObjectMeta(name="default", namespace="ns", uid="sa-uid"))
    spec = PodSpec(node_name="n1", service_account_name="default")
    pod = Pod(metadata=ObjectMeta(name="p", namespace="ns", uid="pod-uid"), spec=spec)
    reader.objects += [account, pod, Node(metadata=ObjectMeta(name="n1", uid="node-uid"))]
    return account


@pytest.fixture
def authenticator(issuer, reader, manual_clock):
    users = parse_token_file('secret,alice,alice-uid,"dev,ops"\nother,bob,2\n')
    return Authenticator(
        StaticTokens(users),
        ServiceAccountTokens(issuer, reader),
        BootstrapTokens(manual_clock, reader),
        clock=manual_clock,
        audiences=issuer.audiences,
    )


def bearing(token: str) -> Request:
    return Request("GET", "/api", headers={"authorization": f"Bearer {token}"})


def answered(account, issuer, reader, **spec) -> TokenRequest:
    request = TokenRequest(spec=TokenRequestSpec(**spec))
    complete_request(request, account, issuer)
    return request_token(request, account, issuer, reader)


def requested(account, issuer, reader, **spec) -> str:
    return answered(account, issuer, reader, **spec).status.token or ""


async def test_no_credentials_make_the_anonymous_user_and_bad_ones_none(authenticator):
    assert await authenticator.authenticate(Request("GET", "/api")) == ANONYMOUS
    with pytest.raises(StatusError) as error:
        await authenticator.authenticate(bearing("wrong"))
    assert (error.value.code, error.value.reason, str(error.value)) == (401, "Unauthorized", "Unauthorized")


async def test_a_static_token_names_its_user(authenticator):
    alice = UserInfo("alice", "alice-uid", ("dev", "ops", "system:authenticated"))
    assert await authenticator.authenticate(bearing("secret")) == alice


async def test_a_client_certificate_names_user_and_groups(authenticator):
    request = Request("GET", "/api", peer=Peer("", "system:node:n1", ("system:nodes",)))
    expected = UserInfo("system:node:n1", groups=("system:nodes", "system:authenticated"))
    assert await authenticator.authenticate(request) == expected


async def test_a_client_certificate_brings_uid_and_fingerprint_and_is_no_stranger(authenticator):
    peer = Peer("", "bob", ("system:authenticated",), "bob-uid", "f00d")
    extra = {"authentication.kubernetes.io/credential-id": ("X509SHA256=f00d",)}
    expected = UserInfo("bob", "bob-uid", ("system:authenticated",), extra)
    assert await authenticator.authenticate(Request("GET", "/api", peer=peer)) == expected
    stranger = Peer("", "system:anonymous", ("system:unauthenticated",))
    user = await authenticator.authenticate(Request("GET", "/api", peer=stranger))
    assert user.groups == ("system:unauthenticated",)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("bearer secret", "alice"),
        ("Bearer secret more", "alice"),
        # As upstream reads it, the token is the empty text between both spaces.
        ("Bearer  secret", "system:anonymous"),
        ("Bearer", "system:anonymous"),
        ("Basic c2VjcmV0", "system:anonymous"),
    ],
)
async def test_the_token_is_the_word_after_bearer(authenticator, header, name):
    user = await authenticator.authenticate(Request("GET", "/api", headers={"authorization": header}))
    assert user.name == name


async def test_a_web_socket_brings_one_token_and_a_protocol_to_speak(authenticator):
    token = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(b"secret").rstrip(b"=").decode()
    for protocols in (token, f"{token},{token},v5.channel.k8s.io", f"{token}!,v5.channel.k8s.io"):
        headers = {"sec-websocket-protocol": protocols, "upgrade": "websocket"}
        with pytest.raises(StatusError) as error:
            await authenticator.authenticate(Request("GET", "/", headers=headers))
        assert error.value.code == 401


async def test_a_token_may_come_as_a_web_socket_sub_protocol(authenticator):
    encoded = base64.urlsafe_b64encode(b"secret").rstrip(b"=").decode()
    protocols = f"v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.{encoded}"
    headers = {"sec-websocket-protocol": protocols}
    user = await authenticator.authenticate(Request("GET", "/", headers={**headers, "upgrade": "websocket"}))
    assert user.name == "alice"
    assert await authenticator.authenticate(Request("GET", "/", headers=headers)) == ANONYMOUS


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_a_service_account_token_holds_until_it_expires(
    algorithm, authenticator, issuer, account, reader, manual_clock
):
    issuer.__init__(KEYS[algorithm], ISSUER, manual_clock, Chance(1))
    token = requested(account, issuer, reader)
    user = await authenticator.authenticate(bearing(token))
    assert (user.name, user.uid) == ("system:serviceaccount:ns:default", "sa-uid")
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")
    # Clocks may differ by a minute.
    manual_clock.seconds = 3600 + 59
    assert (await authenticator.authenticate(bearing(token))).uid == "sa-uid"
    manual_clock.seconds = 3600 + 120
    with pytest.raises(InvalidToken, match="service account token has expired"):
        authenticator.user_of_token(token, [ISSUER])
    with pytest.raises(
        InvalidToken, match=r'token audiences \["\S+"\] is invalid for the target audiences \["other"\]'
    ):
        authenticator.user_of_token(token, ["other"])


async def test_a_token_dies_with_the_pod_it_is_bound_to(authenticator, issuer, account, reader, manual_clock):
    token = requested(
        account, issuer, reader, bound_object_ref=BoundObjectReference(api_version="v1", kind="Pod", name="p")
    )
    user = await authenticator.authenticate(bearing(token))
    assert user.extra["authentication.kubernetes.io/pod-name"] == ("p",)
    assert user.extra["authentication.kubernetes.io/node-uid"] == ("node-uid",)
    reader.objects = [obj for obj in reader.objects if not isinstance(obj, Pod)]
    assert await authenticator.authenticate(bearing(token)) == user, "remembered for a few seconds"
    manual_clock.seconds = 11
    with pytest.raises(StatusError):
        await authenticator.authenticate(bearing(token))


def test_no_account_gets_a_token_bound_to_anothers_pod(issuer, account, reader):
    other = ServiceAccount(metadata=ObjectMeta(name="other", namespace="ns", uid="other-uid"))
    with pytest.raises(StatusError) as error:
        requested(other, issuer, reader, bound_object_ref=BoundObjectReference(api_version="v1", kind="Pod", name="p"))
    assert (error.value.code, str(error.value)) == (
        400,
        'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
    )


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {}])
async def test_a_token_does_not_choose_how_it_is_checked(header, authenticator, issuer, account, reader):
    """`none` needs no signature, and HS256 would take the public key, which everybody knows, for a secret."""
    _head, claims, _signature = requested(account, issuer, reader).split(".")
    kid = next(iter(issuer.key_set()["keys"]))["kid"]
    forged_head = base64.urlsafe_b64encode(json.dumps({**header, "kid": kid}).encode()).rstrip(b"=").decode()
    public = serialization.load_pem_private_key(issuer.private_key, None).public_key()
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hmac.digest(secret, f"{forged_head}.{claims}".encode(), "sha256")
    for signature in ("", base64.urlsafe_b64encode(digest).rstrip(b"=").decode()):
        with pytest.raises(StatusError) as error:
            await authenticator.authenticate(bearing(f"{forged_head}.{claims}.{signature}"))
        assert error.value.code == 401


async def test_a_token_for_others_or_with_another_signature_is_refused(authenticator, issuer, account, reader):
    token = requested(account, issuer, reader, audiences=["somebody"])
    with pytest.raises(StatusError):
        await authenticator.authenticate(bearing(token))
    good = requested(account, issuer, reader)
    forger = TokenIssuer(pem(ec.generate_private_key(ec.SECP256R1())), ISSUER, issuer.clock, Chance(2))
    for bad in (requested(account, forger, reader), good[:-8] + "AAAAAAAA", good.replace(".", "", 1), "a.b.c"):
        with pytest.raises(StatusError):
            await authenticator.authenticate(bearing(bad))


async def test_the_token_of_a_kubelet_outlives_what_it_says(authenticator, issuer, account, reader, manual_clock):
    answer = answered(account, issuer, reader, expiration_seconds=3607)
    assert answer.status.expiration_timestamp == "2026-01-01T01:00:07Z"
    manual_clock.seconds = 300 * 24 * 3600
    assert (await authenticator.authenticate(bearing(answer.status.token or ""))).uid == "sa-uid"


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        (
            {"expiration_seconds": 10},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 10: '
            "may not specify a duration less than 10 minutes",
        ),
        ({"bound_object_ref": ("Pod", "nosuch", "")}, 404, 'pods "nosuch" not found'),
        ({"bound_object_ref": ("Foo", "nosuch", "")}, 400, "cannot bind token to object of type /v1, Kind=Foo"),
        (
            {"bound_object_ref": ("Pod", "p", "wrong")},
            409,
            'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (wrong) does not match '
            "the UID in record. The object might have been deleted and then recreated",
        ),
    ],
)
def test_bad_token_requests_are_refused_in_upstreams_words(spec, code, message, account, issuer, reader):
    if "bound_object_ref" in spec:
        kind, name, uid = spec["bound_object_ref"]
        spec = {"bound_object_ref": BoundObjectReference(api_version="v1", kind=kind, name=name, uid=uid)}
    with pytest.raises(StatusError) as error:
        requested(account, issuer, reader, **spec)
    assert (error.value.code, str(error.value)) == (code, message)


async def test_a_legacy_token_lives_as_long_as_its_secret(authenticator, issuer, account, reader, manual_clock):
    secret = Secret(metadata=ObjectMeta(name="s", namespace="ns"))
    token = legacy_token(issuer.private_key.decode(), account, secret)
    secret.data = {"token": token.encode()}
    reader.objects.append(secret)
    assert (await authenticator.authenticate(bearing(token))).name == "system:serviceaccount:ns:default"
    with pytest.raises(InvalidToken, match="is invalid for the target audiences"):
        authenticator.user_of_token(token, ["other"])
    secret.metadata.labels = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
    with pytest.raises(InvalidToken, match="has been marked invalid"):
        authenticator.user_of_token(token, [ISSUER])
    secret.metadata.labels = {}
    secret.data = {"token": b"another"}
    with pytest.raises(InvalidToken, match="Token does not match server's copy"):
        authenticator.user_of_token(token, [ISSUER])
    reader.objects.remove(secret)
    manual_clock.seconds = 11
    with pytest.raises(StatusError):
        await authenticator.authenticate(bearing(token))


def test_a_token_speaks_of_the_very_account_and_pod(authenticator, issuer, account, reader):
    bound = BoundObjectReference(api_version="v1", kind="Pod", name="p")
    token = requested(account, issuer, reader, bound_object_ref=bound)
    pod = next(obj for obj in reader.objects if isinstance(obj, Pod))
    former, pod.metadata.uid = pod.metadata.uid, "new"
    with pytest.raises(
        InvalidToken, match=rf"pod UID \(new\) does not match service account pod ref claim \({former}\)"
    ):
        authenticator.user_of_token(token, [ISSUER])
    account.metadata.uid = "new"
    with pytest.raises(InvalidToken, match=r"service account UID \(new\) does not match claim \(sa-uid\)"):
        authenticator.user_of_token(token, [ISSUER])


async def test_a_bootstrap_token_joins_until_it_expires(authenticator, reader, manual_clock):
    data = {
        "token-id": b"abcdef",
        "token-secret": b"0123456789abcdef",
        "usage-bootstrap-authentication": b"true",
        "auth-extra-groups": b"system:bootstrappers:workers",
        "expiration": b"2026-01-01T00:10:00Z",
    }
    meta = ObjectMeta(name="bootstrap-token-abcdef", namespace="kube-system")
    reader.objects.append(Secret(metadata=meta, data=data, type="bootstrap.kubernetes.io/token"))
    user = await authenticator.authenticate(bearing("abcdef.0123456789abcdef"))
    assert user.name == "system:bootstrap:abcdef"
    assert user.groups == ("system:bootstrappers", "system:bootstrappers:workers", "system:authenticated")
    # A group that a token may not give makes it none.
    data["auth-extra-groups"] = b"system:bootstrappers:workers,evil"
    manual_clock.seconds = 11
    with pytest.raises(StatusError):
        await authenticator.authenticate(bearing("abcdef.0123456789abcdef"))
    del data["auth-extra-groups"]
    assert (await authenticator.authenticate(bearing("abcdef.0123456789abcdef"))).groups[0] == "system:bootstrappers"
    manual_clock.seconds = 700
    with pytest.raises(StatusError):
        await authenticator.authenticate(bearing("abcdef.0123456789abcdef"))


def test_the_key_set_shows_public_halves_only(issuer):
    document = issuer.key_set()
    assert [sorted(key) for key in document["keys"]] == [["alg", "crv", "kid", "kty", "use", "x", "y"]]
    assert issuer.discovery("https://x/openid/v1/jwks")["id_token_signing_alg_values_supported"] == ["ES256"]


async def test_strangers_are_kept_out_when_anonymous_is_off(manual_clock):
    with pytest.raises(StatusError):
        await Authenticator(clock=manual_clock, anonymous=False).authenticate(Request("GET", "/"))


def test_a_user_is_a_value():
    assert replace(ANONYMOUS) == ANONYMOUS
