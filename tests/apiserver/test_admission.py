"""What admission is shown of every kind of write, told by a policy that refuses it, in the words of its expressions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

GROUP = "/apis/admissionregistration.k8s.io/v1"
CORE, HERE = "/api/v1", "/api/v1/namespaces/default"
APPS = "/apis/apps/v1/namespaces/default"
PODS = f"{HERE}/pods"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
_SEEN = " + ' ' + ".join(
    (
        "request.operation",
        "request.resource.resource + (has(request.subResource) ? '/' + request.subResource : '')",
        "(has(request.name) ? request.name : '-')",
        "(has(request.namespace) ? request.namespace : '-')",
        "request.kind.kind",
        "(object == null ? '-' : object.kind)",
        "(oldObject == null ? '-' : oldObject.kind)",
        "(request.operation == 'CONNECT' ? '-' : request.options.kind)",
    )
)
_ALL = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]
_WIDGETS = {
    "metadata": {"name": "widgets.x.example"},
    "spec": {
        "group": "x.example",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": version,
                "served": True,
                "storage": version == "v1",
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
            }
            for version in ("v1", "v1beta1")
        ],
    },
}


async def _police(call: Caller, *, rules: list[dict[str, Any]] = _ALL, told: str = _SEEN, **match: Any) -> None:
    """Has a policy refuse what its rules are about, and tell in its message what it has seen."""
    validation = {"expression": "false", "messageExpression": told}
    spec = {"matchConstraints": {"resourceRules": rules, **match}, "validations": [validation]}
    body = {"metadata": {"name": "p"}, "spec": spec}
    code, answer = await call("POST", f"{GROUP}/validatingadmissionpolicies", body)
    assert code == 201, answer
    bound = {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]}}
    assert (await call("POST", f"{GROUP}/validatingadmissionpolicybindings", bound))[0] == 201


async def _change(call: Caller, change: str, patch_type: str = "ApplyConfiguration") -> None:
    """Has a policy change what it can of all objects but policies."""
    field = patch_type[0].lower() + patch_type[1:] if patch_type[1].islower() else "jsonPatch"
    mutation = {"patchType": patch_type, field: {"expression": change}}
    spec = {"matchConstraints": {"resourceRules": _ALL}, "mutations": [mutation]}
    spec |= {"reinvocationPolicy": "Never", "failurePolicy": "Fail"}
    for plural, body in (
        ("mutatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec}),
        ("mutatingadmissionpolicybindings", {"metadata": {"name": "b"}, "spec": {"policyName": "p"}}),
    ):
        code, answer = await call("POST", f"{GROUP}/{plural}", body)
        assert code == 201, answer


async def _told(call: Caller, method: str, path: str, body: Any = None, media: str = "application/json") -> str:
    """What the policy says of a request, which it refuses."""
    _code, answer = await call(method, path, body, content_type=media)
    start, denied, told = answer["message"].partition("denied request: ")
    assert denied, start
    return str(told)


def _pod(name: str = "", **metadata: Any) -> dict[str, Any]:
    named = {"name": name, **metadata} if name else metadata
    return {"metadata": named, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def _deployment() -> dict[str, Any]:
    labels = {"a": "b"}
    template = {"metadata": {"labels": labels}, "spec": _pod()["spec"]}
    return {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}


@pytest.fixture
async def stocked(call: Caller) -> Caller:
    """A server with a few things, and a policy against all that comes afterwards."""
    for path, body in (
        (f"{CORE}/namespaces", {"metadata": {"name": "away"}}),
        (PODS, _pod("p")),
        (f"{APPS}/deployments", _deployment()),
        (f"{CORE}/nodes", {"metadata": {"name": "n"}}),
        (f"{HERE}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _WIDGETS),
        ("/apis/x.example/v1/namespaces/default/widgets", _widget({"spec": {"replicas": 1}})),
    ):
        code, answer = await call("POST", path, body)
        assert code == 201, answer
    await _police(call)
    return call


def _widget(content: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": f"x.example/{version}", "kind": "Widget", "metadata": {"name": "w"}, **content}


_APPLIED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
_BINDING = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
_LEASE = {"metadata": {"name": "l"}, "spec": {}}
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
_SCALE = {"metadata": {"name": "d"}, "spec": {"replicas": 3}}
_WIDGET = "/apis/x.example/v1/namespaces/default/widgets/w"


@pytest.mark.parametrize(
    ("method", "path", "body", "seen"),
    [
        ("POST", PODS, _pod("q"), "CREATE pods q default Pod Pod - CreateOptions"),
        (
            "POST",
            f"{CORE}/namespaces",
            {"metadata": {"name": "x"}},
            "CREATE namespaces x x Namespace Namespace - Create",
        ),
        ("PUT", f"{_LEASES}/l", _LEASE, "CREATE leases l default Lease Lease - CreateOptions"),
        ("APPLY", f"{HERE}/configmaps/m", _APPLIED, "CREATE configmaps m default ConfigMap ConfigMap - CreateOptions"),
        ("PATCH", f"{PODS}/p", {}, "UPDATE pods p default Pod Pod Pod UpdateOptions"),
        ("PATCH", f"{PODS}/p/status", {}, "UPDATE pods/status p default Pod Pod Pod UpdateOptions"),
        ("PATCH", f"{PODS}/p/resize", {}, "UPDATE pods/resize p default Pod Pod Pod UpdateOptions"),
        ("PATCH", f"{PODS}/p/ephemeralcontainers", {}, "UPDATE pods/ephemeralcontainers p default Pod Pod Pod Update"),
        ("POST", f"{PODS}/p/binding", _BINDING, "CREATE pods/binding p default Binding Binding - CreateOptions"),
        ("POST", f"{HERE}/bindings", _BINDING, "CREATE bindings p default Binding Binding - CreateOptions"),
        (
            "POST",
            f"{PODS}/p/eviction",
            {"metadata": {"name": "p"}},
            "CREATE pods/eviction p default Eviction Eviction - ",
        ),
        (
            "POST",
            f"{HERE}/serviceaccounts/default/token",
            {},
            "CREATE serviceaccounts/token default default TokenRequest",
        ),
        ("PUT", f"{APPS}/deployments/d/scale", _SCALE, "UPDATE deployments/scale d default Scale Scale Scale Update"),
        ("PATCH", f"{APPS}/deployments/d/scale", _SCALE, "UPDATE deployments/scale d default Scale Scale Scale Update"),
        (
            "PATCH",
            f"{_WIDGET}/scale",
            {"spec": {"replicas": 2}},
            "UPDATE widgets/scale w default Scale Scale Scale Upd",
        ),
        ("PATCH", f"{_WIDGET}/status", {"status": {}}, "UPDATE widgets/status w default Widget Widget Widget UpdateOp"),
        ("DELETE", f"{PODS}/p", None, "DELETE pods p default Pod - Pod DeleteOptions"),
        ("DELETE", f"{CORE}/namespaces/away", None, "DELETE namespaces away away Namespace - Namespace DeleteOptions"),
        ("DELETE", PODS, None, "DELETE pods - default Pod - Pod DeleteOptions"),
        ("GET", f"{PODS}/p/exec?command=sh", None, "CONNECT pods/exec p default PodExecOptions PodExecOptions - -"),
        ("POST", f"{PODS}/p/attach", None, "CONNECT pods/attach p default PodAttachOptions PodAttachOptions - -"),
        ("POST", f"{PODS}/x/portforward", None, "CONNECT pods/portforward x default PodPortForwardOptions PodPortForw"),
        ("GET", f"{PODS}/p/proxy/", None, "CONNECT pods/proxy p default PodProxyOptions PodProxyOptions - -"),
        ("PUT", f"{HERE}/services/s/proxy/x", None, "CONNECT services/proxy s default ServiceProxyOptions ServicePro"),
        ("DELETE", f"{CORE}/nodes/n/proxy/x", None, "CONNECT nodes/proxy n - NodeProxyOptions NodeProxyOptions - -"),
    ],
)
async def test_what_is_seen_of_a_write(stocked: Caller, method: str, path: str, body: Any, seen: str) -> None:
    if method == "APPLY":
        method, path, media = "PATCH", f"{path}?fieldManager=me", APPLY
    else:
        media = MERGE if method == "PATCH" else "application/json"
    assert (await _told(stocked, method, path, body, media)).startswith(seen)


async def test_a_name_that_is_generated_is_known_when_the_object_is(call: Caller) -> None:
    await _police(call, told="object.metadata.name == request.name ? 'known' : 'unknown'")
    assert await _told(call, "POST", PODS, _pod(generateName="g-")) == "known"


async def test_a_policy_that_changes_objects_sees_new_ones_as_clients_give_them(call: Caller) -> None:
    given = (
        "string(has(object.metadata.uid)) + string(has(object.metadata.creationTimestamp)) + string(has(request.name))"
    )
    await _change(call, f"Object{{metadata: Object.metadata{{labels: {{'seen': {given}}}}}}}")
    claimed = {"uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "generateName": "m-"}
    _code, made = await call("POST", f"{HERE}/configmaps", {"metadata": claimed})
    assert made["metadata"]["labels"] == {"seen": "falsefalsefalse"}


@pytest.mark.parametrize(
    ("method", "query", "body", "seen"),
    [
        ("POST", "?fieldManager=me&fieldValidation=Strict&dryRun=All", _APPLIED, "true All me Strict"),
        ("POST", "", _APPLIED, "false - - -"),
        ("DELETE", "/kube-root?gracePeriodSeconds=3&dryRun=All", None, "true All - - 3"),
        # A body says it all: the query is not looked at.
        ("DELETE", "/kube-root?dryRun=All", {"gracePeriodSeconds": 4}, "false - - - 4"),
        ("DELETE", "/kube-root", {"dryRun": ["All"]}, "true All - -"),
        ("DELETE", "?dryRun=All", {}, "false - - -"),
    ],
)
async def test_options_are_what_the_client_says(call: Caller, method: str, query: str, body: Any, seen: str) -> None:
    maps = f"{HERE}/configmaps"
    assert (await call("POST", maps, {"metadata": {"name": "kube-root"}}))[0] == 201
    shown = " + ' ' + ".join(
        (
            "string(request.dryRun)",
            "(has(request.options.dryRun) ? request.options.dryRun[0] : '-')",
            "(has(request.options.fieldManager) ? request.options.fieldManager : '-')",
            "(has(request.options.fieldValidation) ? request.options.fieldValidation : '-')",
            "(has(request.options.gracePeriodSeconds) ? string(request.options.gracePeriodSeconds) : '')",
        )
    )
    await _police(call, told=f"string({shown})")
    assert await _told(call, method, maps + query, body) == seen


async def test_an_eviction_is_not_admitted_as_the_deletion_that_it_comes_to(call: Caller) -> None:
    assert (await call("POST", PODS, _pod("p")))[0] == 201
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE", "UPDATE"], "resources": ["pods/*"]}]
    await _police(call, rules=[{**rules[0], "resources": ["pods", "pods/*"]}])
    assert (await call("DELETE", f"{PODS}/p"))[0] == 422
    assert (await call("POST", f"{PODS}/p/binding", _BINDING))[0] == 201
    assert (await call("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}}))[0] == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{PODS}/p/binding", _BINDING),
        (f"{PODS}/p/eviction", {"metadata": {"name": "p"}}),
        (f"{HERE}/serviceaccounts/default/token", {"spec": {}}),
    ],
)
async def test_warnings_of_requests_for_parts_are_told(call: Caller, path: str, body: dict[str, Any]) -> None:
    assert (await call("POST", PODS, _pod("p")))[0] == 201
    response = await call.send("POST", path, {**body, "colour": "red"})
    assert (response.status, response.headers["warning"]) == (201, ('299 - "unknown field \\"colour\\""',))


async def test_scales_are_seen_before_and_after(stocked: Caller) -> None:
    await stocked("DELETE", f"{GROUP}/validatingadmissionpolicies/p")
    await stocked("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")
    await _police(stocked, told="string(oldObject.spec.replicas) + ' ' + string(object.spec.replicas)")
    for path in (f"{APPS}/deployments/d/scale", f"{_WIDGET}/scale"):
        assert await _told(stocked, "PATCH", path, {"spec": {"replicas": 5}}, MERGE) == "1 5"


@pytest.mark.parametrize(
    ("policy", "asked", "seen"),
    [
        ("Exact", "v1", "v1 v1 v1"),
        ("Equivalent", "v1", "v1 v1 v1"),
        ("Equivalent", "v1beta1", "v1 v1beta1 v1"),
        ("Exact", "v1beta1", ""),
    ],
)
async def test_an_equivalent_version_is_shown_as_the_one_that_is_named(
    call: Caller, policy: str, asked: str, seen: str
) -> None:
    assert (await call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _WIDGETS))[0] == 201
    rules = [{"apiGroups": ["x.example"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["widgets"]}]
    told = "request.kind.version + ' ' + request.requestKind.version + ' ' + object.apiVersion.substring(10)"
    await _police(call, rules=rules, told=told, matchPolicy=policy)
    path, body = f"/apis/x.example/{asked}/namespaces/default/widgets", _widget({}, asked)
    if not seen:
        assert (await call("POST", path, body))[0] == 201
        return
    assert await _told(call, "POST", path, body) == seen


async def test_events_of_both_groups_are_one_thing(call: Caller) -> None:
    rules = [{"apiGroups": ["events.k8s.io"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["events"]}]
    await _police(call, rules=rules, told="request.requestResource.group + ' ' + object.note")
    event = {"metadata": {"name": "e"}, "message": "text", "involvedObject": {"namespace": "default"}}
    assert await _told(call, "POST", f"{HERE}/events", event) == "text"


async def test_streams_are_admitted_before_their_pod_is_looked_for(call: Caller) -> None:
    told = "object.command.join(' ') + (has(object.tty) ? ' at a terminal' : '') + ' in ' + object.container"
    await _police(call, told=told)
    query = "command=ls&command=-l&container=c&tty=true&stdout=1"
    assert await _told(call, "GET", f"{PODS}/nosuch/exec?{query}") == "ls -l at a terminal in c"
    code, answer = await call("GET", f"{PODS}/nosuch/exec?{query}&dryRun=All")
    assert (code, answer["message"]) == (400, "dryRun is not supported")


async def test_reviews_are_exempt_from_policies(stocked: Caller) -> None:
    asked = {"spec": {"user": "u", "nonResourceAttributes": {"path": "/", "verb": "get"}}}
    assert (await stocked("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", asked))[0] == 201


@pytest.mark.parametrize(
    ("patch_type", "change"),
    [
        ("ApplyConfiguration", "Object{spec: Object.spec{replicas: 4}}"),
        ("JSONPatch", "[JSONPatch{op: 'replace', path: '/spec/replicas', value: 4}]"),
    ],
)
async def test_policies_change_scales(call: Caller, patch_type: str, change: str) -> None:
    assert (await call("POST", f"{APPS}/deployments", _deployment()))[0] == 201
    await _change(call, change, patch_type)
    code, scale = await call("PATCH", f"{APPS}/deployments/d/scale", {"spec": {"replicas": 2}}, content_type=MERGE)
    assert (code, scale.get("spec")) == (200, {"replicas": 4})
    assert (await call("GET", f"{APPS}/deployments/d"))[1]["spec"]["replicas"] == 4


async def test_policies_change_bindings(call: Caller) -> None:
    assert (await call("POST", PODS, _pod("p")))[0] == 201
    await _change(call, "Object{metadata: Object.metadata{labels: {'bound': 'yes'}}}")
    assert (await call("POST", f"{PODS}/p/binding", _BINDING))[0] == 201
    assert (await call("GET", f"{PODS}/p"))[1]["metadata"]["labels"] == {"bound": "yes"}


async def test_policies_change_evictions(call: Caller) -> None:
    pod = _pod("p")
    pod["spec"]["nodeName"] = "n"
    assert (await call("POST", PODS, pod))[0] == 201
    await _change(call, "Object{deleteOptions: Object.deleteOptions{gracePeriodSeconds: 7}}")
    assert (await call("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}}))[0] == 201
    assert (await call("GET", f"{PODS}/p"))[1]["metadata"]["deletionGracePeriodSeconds"] == 7


@pytest.mark.parametrize(
    ("patch_type", "change", "why"),
    [
        (
            "JSONPatch",
            "[JSONPatch{op: 'replace', path: '/container', value: 'other'}]",
            "container other is not valid for",
        ),
        ("ApplyConfiguration", "Object{container: 'other'}", "no corresponding type for /v1, Kind=PodExecOptions"),
    ],
)
async def test_policies_change_what_a_stream_is_asked_for(call: Caller, patch_type: str, change: str, why: str) -> None:
    assert (await call("POST", PODS, _pod("p")))[0] == 201
    await _change(call, change, patch_type)
    _code, answer = await call("GET", f"{PODS}/p/exec?command=sh&container=c")
    assert why in answer["message"]
