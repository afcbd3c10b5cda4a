"""Pods of one template, of which most are never looked at: nobody may notice, whatever changes between them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pybernetes.api.encoding import decode
from pybernetes.api.kinds import kind_of
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.wire import Request
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.bodies import WriteOptions
from pybernetes.apiserver.commands import intent_of
from pybernetes.apiserver.identify import identify
from pybernetes.apiserver.moulds import wish_of
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.witness import Witness
from pybernetes.apiserver.writer import Writer
from pybernetes.environment.chance import Chance
from pybernetes.store.embedded import EmbeddedStore
from tests.apiserver.conftest import TOKENS, Caller, ManualClock

NAMESPACE = "/api/v1/namespaces/default"
PODS = f"{NAMESPACE}/pods"
GATED = {"containers": [{"name": "web", "image": "nginx"}], "schedulingGates": [{"name": "example.com/wait"}]}
# More than it takes until a template is known.
MANY = 5


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    container = {"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}
    own = {"name": name} if name else {"generateName": "web-"}
    return {"metadata": {**own, "labels": {"app": "web"}, **metadata}, "spec": {"containers": [container]}}


async def create(call: Caller, obj: dict[str, Any], code: int = 201, query: str = "") -> Any:
    status, answer = await call("POST", PODS + query, obj)
    assert status == code, answer
    return answer


async def known(call: Caller) -> None:
    for number in range(MANY):
        await create(call, pod(f"known-{number}"))


@asynccontextmanager
async def server(key: bytes, clock: ManualClock) -> AsyncIterator[Caller]:
    store = await EmbeddedStore.open(None, clock)
    api = await ApiServer.start(ApiServerOptions(key, tokens=TOKENS), store, clock, Chance(1))
    call = Caller(api)
    await call("POST", f"{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    yield call
    api.close()
    await store.close()


async def answers(key: bytes, bodies: list[bytes]) -> list[bytes]:
    clock = ManualClock()
    found: list[bytes] = []
    async with server(key, clock) as call:
        for body in bodies:
            # It takes three to know a template: here they are of one second, and those after them of others.
            clock.seconds += 0.3
            found.append((await call.send("POST", PODS, body, user_agent="kubectl/v1.36")).body)
        found.append((await call.send("GET", PODS)).body)
        found.append((await call.send("GET", f"{PODS}?labelSelector=app=web&fieldSelector=status.phase=Pending")).body)
    return found


@pytest.mark.parametrize(
    "wanted",
    [
        [pod(f"web-{number}") for number in range(8)],
        [pod("") for _ in range(8)],
        [pod(name) for name in ("web", "default", "nginx", "a.b", "Pod", "a_b", "x" * 254, "web", "x" * 64, "Pending")],
        [pod(f"dated-{number}", annotations={"at": "2026-01-01T00:00:00Z"}) for number in range(8)],
        [{**pod(f"gated-{number}"), "spec": GATED} for number in range(8)],
        [pod(f"kube-api-access-{number}", finalizers=["example.com/keep"]) for number in range(8)],
    ],
)
async def test_answers_are_those_of_pods_that_have_no_like(
    service_account_key: bytes, wanted: list[dict[str, Any]]
) -> None:
    alike = [json.dumps(obj).encode() for obj in wanted]
    # Blanks mean nothing, and yet no two of these bodies are alike.
    unlike = [body + b" " * number for number, body in enumerate(alike)]
    assert await answers(service_account_key, alike) == await answers(service_account_key, unlike)


async def test_each_has_its_own_name_uid_and_token_volume(call: Caller) -> None:
    created = [await create(call, pod(name)) for name in ("a", "b", "c", "d", "", "", "", "", "")]
    metadata = [each["metadata"] for each in created]
    assert len({each["uid"] for each in metadata}) == len({each["name"] for each in metadata}) == len(created)
    assert len({each["resourceVersion"] for each in metadata}) == len(created)
    for each in created:
        volume = each["spec"]["volumes"][-1]["name"]
        assert volume.startswith("kube-api-access-")
        assert each["spec"]["containers"][0]["volumeMounts"][-1]["name"] == volume
        assert (await call("GET", f"{PODS}/{each['metadata']['name']}"))[1] == each
    assert len({each["spec"]["volumes"][-1]["name"] for each in created}) == len(created)


async def test_a_name_that_is_taken_or_wrong_is_refused(call: Caller) -> None:
    await known(call)
    assert (await create(call, pod("known-1"), 409))["reason"] == "AlreadyExists"
    assert (await create(call, pod("No_Name"), 422))["details"]["causes"][0]["field"] == "metadata.name"


async def test_who_creates_is_told_apart(call: Caller) -> None:
    await known(call)
    answer = (await call("POST", PODS, pod("other"), user_agent="helm/4"))[1]
    assert answer["metadata"]["managedFields"][0]["manager"] == "helm"
    assert (await call.as_user("alice-token")("POST", PODS, pod("hers")))[0] == 403


async def test_a_dry_run_stores_nothing(call: Caller) -> None:
    await known(call)
    await create(call, pod("tried"), query="?dryRun=All")
    assert (await call("GET", f"{PODS}/tried"))[0] == 404


async def test_what_there_is_to_say_is_said_every_time(call: Caller) -> None:
    for number in range(MANY):
        wanted = {**pod(f"told-{number}"), "colour": "red"}
        response = await call.send("POST", PODS, wanted)
        assert response.headers["warning"] == ('299 - "unknown field \\"colour\\""',)


async def test_a_new_limit_holds_at_once(call: Caller) -> None:
    await known(call)
    limits = [{"type": "Container", "defaultRequest": {"cpu": "10m"}}, {"type": "Pod", "max": {"memory": "1Gi"}}]
    made = {"metadata": {"name": "limits"}, "spec": {"limits": limits}}
    assert (await call("POST", f"{NAMESPACE}/limitranges", made))[0] == 201
    refused = await create(call, pod("limited"), 403)
    assert "maximum memory usage per Pod is 1Gi" in refused["message"]
    made = {"metadata": {"name": "limits"}, "spec": {"limits": limits[:1]}}
    assert (await call("PUT", f"{NAMESPACE}/limitranges/limits", made))[0] == 200
    for number in range(MANY):
        answer = await create(call, pod(f"limited-{number}"))
        assert answer["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "10m"}}


async def test_a_new_default_priority_holds_at_once(call: Caller) -> None:
    await known(call)
    made = {"metadata": {"name": "high"}, "value": 7, "globalDefault": True}
    assert (await call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", made))[0] == 201
    assert (await create(call, pod("prior")))["spec"]["priority"] == 7


async def test_what_the_account_says_holds_at_once(call: Caller) -> None:
    await known(call)
    change = {"automountServiceAccountToken": False, "imagePullSecrets": [{"name": "pull"}]}
    kind = "application/merge-patch+json"
    status, _ = await call("PATCH", f"{NAMESPACE}/serviceaccounts/default", change, content_type=kind)
    assert status == 200
    for number in range(MANY):
        spec = (await create(call, pod(f"bare-{number}")))["spec"]
        assert ("volumes" in spec, spec["imagePullSecrets"]) == (False, [{"name": "pull"}])


async def test_what_the_namespace_asks_for_holds_at_once(call: Caller) -> None:
    await known(call)
    kind = "application/merge-patch+json"
    for mode in ("warn", "enforce"):
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted"}
        status, _ = await call("PATCH", NAMESPACE, {"metadata": {"labels": labels}}, content_type=kind)
        assert status == 200
        for number in range(MANY):
            response = await call.send("POST", PODS, pod(f"{mode}-{number}"))
            assert (response.status, "warning" in response.headers) == ((201, True) if mode == "warn" else (403, False))


@pytest.mark.parametrize("names", [[], ["unwanted"]])
async def test_a_policy_is_asked_about_every_pod(call: Caller, names: list[str]) -> None:
    await known(call)
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    rule = {"expression": "object.metadata.name != 'unwanted'"}
    spec = {"matchConstraints": {"resourceRules": [{**rules[0], "resourceNames": names}]}, "validations": [rule]}
    group = "/apis/admissionregistration.k8s.io/v1"
    policy = {"metadata": {"name": "wanted"}, "spec": spec}
    assert (await call("POST", f"{group}/validatingadmissionpolicies", policy))[0] == 201
    binding = {"metadata": {"name": "wanted"}, "spec": {"policyName": "wanted", "validationActions": ["Deny"]}}
    assert (await call("POST", f"{group}/validatingadmissionpolicybindings", binding))[0] == 201
    for number in range(MANY):
        await create(call, pod(f"asked-{number}"))
    await create(call, pod("unwanted"), 422)


async def test_a_namespace_that_goes_takes_no_more(call: Caller) -> None:
    await call("POST", "/api/v1/namespaces", {"metadata": {"name": "going"}})
    await call("POST", "/api/v1/namespaces/going/serviceaccounts", {"metadata": {"name": "default"}})
    for number in range(MANY):
        assert (await call("POST", "/api/v1/namespaces/going/pods", pod(f"web-{number}")))[0] == 201
    await call("DELETE", "/api/v1/namespaces/going")
    assert (await call("POST", "/api/v1/namespaces/going/pods", pod("late")))[0] == 403


async def test_all_creates_are_counted_as_admitted(call: Caller) -> None:
    counted = re.compile(
        r'^apiserver_admission_\w+_count{(?:name="Priority",)?operation="CREATE",.*"false".*} (\d+)$', re.M
    )

    async def counts() -> list[int]:
        text = (await call.send("GET", "/metrics")).body.decode()
        return [int(count) for count in counted.findall(text)]

    await known(call)
    before = await counts()
    assert len(before) >= 3
    await create(call, pod("one-more"))
    assert await counts() == [count + 1 for count in before]
    assert await counts() == [count + 1 for count in before]


async def test_a_quota_counts_every_pod(call: Caller) -> None:
    await known(call)
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": str(2 * MANY)}}}
    assert (await call("POST", f"{NAMESPACE}/resourcequotas", quota))[0] == 201
    for number in range(MANY):
        await create(call, pod(f"counted-{number}"))
    assert "exceeded quota: few" in (await create(call, pod("one-more"), 403))["message"]


async def test_they_can_be_changed_like_any_other(call: Caller) -> None:
    await known(call)
    name = f"known-{MANY - 1}"
    status = {"status": {"phase": "Running", "podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}]}}
    kind = "application/merge-patch+json"
    assert (await call("PATCH", f"{PODS}/{name}/status", status, content_type=kind))[0] == 200
    labels = {"metadata": {"labels": {"app": "other"}}}
    assert (await call("PATCH", f"{PODS}/{name}", labels, content_type=kind))[0] == 200
    for query in (
        "labelSelector=app=other",
        "fieldSelector=status.podIP=10.0.0.7",
        "fieldSelector=status.phase=Running",
    ):
        listed = (await call("GET", f"{PODS}?{query}"))[1]["items"]
        assert [item["metadata"]["name"] for item in listed] == [name]


class _Counting(Bystander):
    """Lets some pass and gives all others a number: what it does to one it does to no other."""

    name = "Counting"

    def __init__(self) -> None:
        self.count = 0

    def handles(self, request: AdmissionRequest) -> bool:
        return True

    async def admit(self, request: AdmissionRequest) -> None:
        self.count += 1
        assert request.object is not None
        request.object.metadata.annotations = {"number": str(self.count)} if self.count > 3 else {}


async def test_a_plug_in_that_does_not_say_that_it_repeats_is_asked_every_time(api: ApiServer) -> None:
    witness, clock = Witness(api.registry), ManualClock()
    writer = Writer(api.registry, witness, AdmissionChain([_Counting()], api.metrics), api.metrics, clock, Chance(1))
    kind, form = kind_of(Pod), api.registry.collection(kind_of(Pod)).form
    options = WriteOptions(dry_run=False, validation="Warn", field_manager="test")
    numbers = []
    for number in range(MANY):
        body = json.dumps(pod(f"counted-{number}")).encode()
        request = Request("POST", PODS, (), {}, body)
        asked = Authenticated(request, identify(request), TOKENS["admin-token"])
        wish = wish_of(asked, options, form)
        assert wish is not None
        entry = await writer.create_again(api.registry.collection(kind), wish)
        if entry is None:
            obj = decode(body, "", Pod).object
            form.strategy.default(obj)
            entry = await writer.create(intent_of(asked, options), obj, wish)
        numbers.append(entry.object.metadata.annotations.get("number"))
    assert numbers == [None, None, None, "4", "5"]
