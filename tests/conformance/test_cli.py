"""[sig-cli] kubectl against API server processes with simulated nodes, and what it makes of custom resources."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.command import Command
from tests.clients.downloads import Tools
from tests.conformance.bodies import pod, replication_controller, workload
from tests.conformance.custom import definition
from tests.conformance.driving import Json

PATIENCE = "--timeout=30s"
PRIMARY = {"app": "agnhost", "role": "primary"}
PORT = [{"name": "agnhost-server", "containerPort": 6379}]


@pytest.fixture
def kubectl(environment: Mapping[str, str], namespace: str, tools: Tools) -> Command:
    return Command(tools.kubectl, (f"--namespace={namespace}",), environment)


def create(kubectl: Command, kind: str, body: Json, group_version: str = "v1", verb: str = "create") -> str:
    text = json.dumps({"apiVersion": group_version, "kind": kind, **body})
    return kubectl(verb, "-f", "-", stdin=text)


def primary(kubectl: Command) -> str:
    """A ReplicationController with a pod that is ready; the pod's name."""
    body = replication_controller("agnhost-primary", PRIMARY, 1)
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = PORT
    create(kubectl, "ReplicationController", body)
    return ready(kubectl, "rc/agnhost-primary", "app=agnhost", 1)[0]


def ready(kubectl: Command, owner: str, selector: str, count: int) -> list[str]:
    """Waits until so many pods of a controller are ready and no others are there; their names."""
    for state in (f"{{.status.readyReplicas}}={count}", f"{{.status.replicas}}={count}"):
        kubectl("wait", f"--for=jsonpath={state}", owner, PATIENCE)
    return kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}").split()


def has(text: str, *patterns: str) -> None:
    """All words are there, in this order; blanks stand for any number of them."""
    position = 0
    for pattern in patterns:
        found = re.compile(re.escape(pattern).replace(r"\ ", r"\s+")).search(text, position)
        assert found, f"{pattern!r} is not in\n{text[position:]}"
        position = found.end()


def test_api_versions(kubectl: Command) -> None:
    """Kubectl api-versions should check if v1 is in available api versions."""
    assert "v1" in kubectl("api-versions").splitlines()


def test_cluster_info(kubectl: Command) -> None:
    """Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", kubectl("cluster-info"))
    has(text, "Kubernetes control plane", "is running at")


def test_version(kubectl: Command) -> None:
    """Kubectl version should check is all data is printed."""
    has(kubectl("version"), "Client Version: ", "Server Version: v1.36.")
    server = kubectl.json("version")["serverVersion"]
    assert re.fullmatch(r"\d", server["major"]) and re.fullmatch(r"\d+\+?", server["minor"])
    assert server["platform"].startswith("linux/")


def test_update_demo_is_created_scaled_and_stopped(kubectl: Command) -> None:
    """Update Demo should create and stop a replication controller; should scale a replication controller."""
    labels = {"name": "update-demo", "version": "nautilus"}
    body = replication_controller("update-demo-nautilus", labels, 2)
    create(kubectl, "ReplicationController", body)
    owner = "rc/update-demo-nautilus"
    ready(kubectl, owner, "name=update-demo", 2)
    for count in (1, 2):
        kubectl("scale", "rc", "update-demo-nautilus", f"--replicas={count}", "--timeout=5m")
        names = ready(kubectl, owner, "name=update-demo", count)
        for name in names[:count]:
            running = (
                '{{if (exists . "status" "containerStatuses")}}{{range .status.containerStatuses}}'
                '{{if (and (eq .name "c") (exists . "state" "running"))}}true{{end}}{{end}}{{end}}'
            )
            assert kubectl("get", "pods", name, "-o", "template", f"--template={running}") == "true"
    kubectl("delete", "--grace-period=0", "--force", "rc", "update-demo-nautilus")
    assert kubectl("get", "rc,svc", "-l", "name=update-demo", "--no-headers") == ""
    kubectl("wait", "--for=delete", "pods", "-l", "name=update-demo", PATIENCE)


def test_guestbook_is_created_and_stopped(kubectl: Command) -> None:
    """Guestbook application should create and stop a working application (its parts, not what they tell each other)."""
    parts = (("agnhost-primary", 1), ("agnhost-replica", 2), ("frontend", 3))
    for name, count in parts:
        labels = {"app": name, "tier": "guestbook"}
        create(kubectl, "Deployment", workload(name, labels, count), "apps/v1")
        service = {"metadata": {"name": name, "labels": labels}, "spec": {"selector": labels, "ports": [{"port": 80}]}}
        create(kubectl, "Service", service)
    for name, count in parts:
        kubectl("rollout", "status", f"deployment/{name}", PATIENCE)
        address = "jsonpath={.items[*].endpoints[*].addresses[0]}"
        label = f"kubernetes.io/service-name={name}"
        kubectl(
            "wait",
            f"--for=jsonpath={{.endpoints[{count - 1}].conditions.ready}}=true",
            "endpointslices",
            "-l",
            label,
            PATIENCE,
        )
        assert len(kubectl("get", "endpointslices", "-l", label, "-o", address).split()) == count
    for kind in ("deployments", "services"):
        kubectl("delete", "--grace-period=0", "--force", kind, *(name for name, _ in parts))
    kubectl("wait", "--for=delete", "pods", "-l", "tier=guestbook", PATIENCE)


def test_describe(kubectl: Command, namespace: str) -> None:
    """Kubectl describe should check if kubectl describe prints relevant information for rc and pods."""
    name = primary(kubectl)
    service = {"metadata": {"name": "agnhost-primary", "labels": PRIMARY}}
    service["spec"] = {"selector": PRIMARY, "ports": [{"port": 6379, "targetPort": "agnhost-server"}]}
    create(kubectl, "Service", service)
    head = (f"Namespace: {namespace}",)
    has(
        kubectl("describe", "pod", name),
        *(f"Name: {name}", *head, "Node: ", "Labels: app=agnhost", "role=primary", "Status: Running", "IP:"),
        *("Controlled By: ReplicationController/agnhost-primary", "Image: ", "State: Running", "QoS Class: BestEffort"),
    )
    has(
        kubectl("describe", "rc", "agnhost-primary"),
        *("Name: agnhost-primary", *head, "Selector: app=agnhost,role=primary", "Labels: app=agnhost", "role=primary"),
        *("Annotations:", "Replicas: 1 current", "1 desired", "Pods Status: 1 Running", "0 Waiting", "0 Succeeded"),
        *("0 Failed", "Pod Template:", "Image:", "Events:"),
    )
    has(
        kubectl("describe", "service", "agnhost-primary"),
        *("Name: agnhost-primary", *head, "Labels: app=agnhost", "role=primary", "Annotations:"),
        *("Selector: app=agnhost,role=primary", "Type: ClusterIP", "IP:", "Port: <unset> 6379/TCP", "Endpoints:"),
        "Session Affinity: None",
    )
    has(
        kubectl("describe", "node", "worker-1"),
        *("Name: worker-1", "Labels:", "Annotations:", "CreationTimestamp:", "Conditions:", "Type", "Status"),
        *("LastHeartbeatTime", "LastTransitionTime", "Reason", "Message", "Addresses:", "Capacity:", "Kernel Version:"),
        *("OS Image:", "Container Runtime Version:", "Kubelet Version:", "Pods:"),
    )
    has(kubectl("describe", "namespace", namespace), f"Name: {namespace}", "Labels:", "Annotations:", "Status: Active")


def test_diff_of_deployments(kubectl: Command) -> None:
    """Kubectl diff should check if kubectl diff finds a difference for Deployments."""
    body = {"apiVersion": "apps/v1", "kind": "Deployment", **workload("httpd-deployment", {"app": "httpd"})}
    kubectl("create", "-f", "-", stdin=json.dumps(body))
    other = json.dumps(body).replace("agnhost:2.53", "busybox:1")
    found = kubectl.run("diff", "-f", "-", stdin=other)
    assert found.returncode == 1
    has(found.stdout, "- - image: registry.example/agnhost:2.53", "+ - image: registry.example/busybox:1")


def test_expose(kubectl: Command, namespace: str) -> None:
    """Kubectl expose should create services for rc."""
    primary(kubectl)
    kubectl("expose", "rc", "agnhost-primary", "--name=rm2", "--port=1234", "--target-port=6379")
    kubectl("expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=6379")
    for name, port in (("rm2", 1234), ("rm3", 2345)):
        [shown] = kubectl.json("get", "service", name)["spec"]["ports"]
        assert (shown["port"], shown["targetPort"]) == (port, 6379)
        kubectl("wait", "--for=jsonpath={.subsets[0].ports[0].port}=6379", f"endpoints/{name}", PATIENCE)


def test_label(kubectl: Command) -> None:
    """Kubectl label should update the label on a resource."""
    create(kubectl, "Pod", pod("pause", {"name": "pause"}))
    kubectl("wait", "--for=condition=Ready", "pod/pause", PATIENCE)
    kubectl("label", "pods", "pause", "testing-label=testing-label-value")
    assert "testing-label-value" in kubectl("get", "pod", "pause", "-L", "testing-label")
    kubectl("label", "pods", "pause", "testing-label-")
    assert "testing-label-value" not in kubectl("get", "pod", "pause", "-L", "testing-label")


def test_patch_of_the_pods_of_a_controller(kubectl: Command) -> None:
    """Kubectl patch should add annotations for pods in rc."""
    name = primary(kubectl)
    kubectl("patch", "pod", name, "-p", '{"metadata":{"annotations":{"x":"y"}}}')
    assert kubectl.json("get", "pod", name)["metadata"]["annotations"]["x"] == "y"


IMAGE = "--output=jsonpath={.spec.containers[0].image}"


def test_replace_of_a_pod(kubectl: Command) -> None:
    """Kubectl replace should update a single-container pod's image."""
    kubectl("run", "e2e-test-httpd-pod", "--image=httpd:1", "--labels=run=e2e-test-httpd-pod")
    kubectl("wait", "--for=condition=Ready", "pods", "--selector=run=e2e-test-httpd-pod", PATIENCE)
    text = kubectl("get", "pod", "e2e-test-httpd-pod", "-o", "json")
    kubectl("replace", "-f", "-", stdin=text.replace("httpd:1", "busybox:1"))
    assert kubectl("get", "pod", "e2e-test-httpd-pod", IMAGE) == "busybox:1"
    kubectl("delete", "pods", "e2e-test-httpd-pod", "--now")


def test_run_of_a_pod(kubectl: Command) -> None:
    """Kubectl run pod should create a pod from an image when restart is Never."""
    kubectl("run", "e2e-test-httpd-pod", "--restart=Never", "--pod-running-timeout=2m0s", "--image=httpd:1")
    made = kubectl.json("get", "pod", "e2e-test-httpd-pod")["spec"]
    assert ([each["image"] for each in made["containers"]], made["restartPolicy"]) == (["httpd:1"], "Never")


def test_server_side_dry_run(kubectl: Command) -> None:
    """Kubectl server-side dry-run should check if kubectl can dry-run update Pods."""
    kubectl("run", "e2e-test-httpd-pod", "--image=httpd:1", "--pod-running-timeout=2m0s", "--labels=run=e2e")
    change = {"spec": {"containers": [{"name": "e2e-test-httpd-pod", "image": "busybox:1"}]}}
    kubectl("patch", "pod", "e2e-test-httpd-pod", "-p", json.dumps(change), "--dry-run=server")
    assert kubectl("get", "pod", "e2e-test-httpd-pod", IMAGE) == "httpd:1"


@contextmanager
def proxy(kubectl: Command, *words: str) -> Iterator[str]:
    """`kubectl proxy` while it serves; the line by which it says so."""
    argv = [str(kubectl.program), "proxy", *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=kubectl.environment) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()


def test_proxy_on_a_free_port(kubectl: Command) -> None:
    """Proxy server should support proxy with --port 0."""
    with proxy(kubectl, "-p", "0", "--disable-filter") as said:
        found = re.search(r"Starting to serve on 127\.0\.0\.1:(\d+)", said)
        assert found
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]))
        connection.request("GET", "/api/")
        assert json.loads(connection.getresponse().read())["versions"] == ["v1"]
        connection.close()


def test_proxy_on_a_unix_socket(kubectl: Command, tmp_path: Path) -> None:
    """Proxy server should support --unix-socket=/path."""
    path = str(tmp_path / "test")
    with proxy(kubectl, f"--unix-socket={path}") as said:
        assert path in said
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(path)
        connection.request("GET", "/api/")
        assert json.loads(connection.getresponse().read())["versions"] == ["v1"]
        connection.close()


BAR: Json = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "description": "Name of Bar."},
        "age": {"type": "string", "description": "Age of Bar."},
        "bazs": {"type": "array", "description": "List of Bazs.", "items": {"type": "string"}},
    },
}
FOO: Json = {
    "type": "object",
    "description": "Foo CRD for Testing",
    "properties": {
        "spec": {
            "type": "object",
            "description": "Specification of Foo",
            "properties": {"bars": {"type": "array", "description": "List of Bars and their specs.", "items": BAR}},
        }
    },
}
ANY: Json = {"x-kubernetes-preserve-unknown-fields": True}
WALDO: Json = {"type": "object", "description": "Specification of Waldo", "properties": {"dummy": {"type": "object"}}}
NESTED = "preserve-unknown-properties in nested field for Testing"
ROOT: Json = {"type": "object", "description": "at root for Testing", "properties": {"spec": WALDO}, **ANY}
SCHEMAS = {
    "foos": (FOO, {"spec": {"bars": [{"name": "test-bar"}]}}, r"(?s)DESCRIPTION:.*Foo CRD for Testing.*FIELDS:"),
    "empties": ({"type": "object", **ANY}, {"a": {"b": [{"c": "d"}]}}, r"(?s)DESCRIPTION:.*<empty>"),
    "roots": (ROOT, {"a": {"b": [{"c": "d"}]}}, r"(?s)KIND:.*Root"),
    "nesteds": (
        {"type": "object", "description": NESTED, "properties": {"spec": {**WALDO, **ANY}}},
        {"spec": {"a": None, "b": [{"c": "d"}]}},
        f"(?s)DESCRIPTION:.*{NESTED}",
    ),
}


@pytest.mark.parametrize("plural", SCHEMAS)
def test_custom_resources_are_created_applied_and_explained(kubectl: Command, plural: str) -> None:
    """CustomResourcePublishOpenAPI works for CRD with validation schema, without validation schema, preserving unknown
    fields at the schema root, preserving unknown fields in an embedded object."""
    schema, content, pattern = SCHEMAS[plural]
    group = f"{plural}.example.com"
    body = definition(plural, schema, scope="Namespaced", group=group)
    create(kubectl, "CustomResourceDefinition", body, "apiextensions.k8s.io/v1")
    kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}", PATIENCE)
    kind, made = body["spec"]["names"]["kind"], {"metadata": {"name": "test-cr"}, **content}
    for verb in ("create", "apply"):
        create(kubectl, kind, made, f"{group}/v1", verb)
        kubectl("delete", f"{plural}.{group}", "test-cr")
    assert re.search(pattern, kubectl("explain", plural)), kubectl("explain", plural)
    kubectl("delete", f"crd/{plural}.{group}")


EXPLAINED = (
    ("foos", "DESCRIPTION:", "Foo CRD for", "FIELDS:", "apiVersion <string>", "APIVersion defines", "spec <Object>"),
    ("foos.metadata", "DESCRIPTION:", "Standard object's metadata", "FIELDS:", "creationTimestamp <string>"),
    ("foos.spec", "DESCRIPTION:", "Specification of Foo", "FIELDS:", "bars <[]Object>", "List of Bars and their specs"),
    (
        "foos.spec.bars",
        "bars <[]Object>",
        "DESCRIPTION:",
        "List of Bars",
        "FIELDS:",
        "bazs <[]string>",
        "name <string>",
    ),
)


def test_custom_resources_are_explained_field_by_field(kubectl: Command) -> None:
    """CustomResourcePublishOpenAPI works for CRD with validation schema: what is refused, and all that is explained."""
    group = "fields.example.com"
    body = definition("foos", FOO, scope="Namespaced", group=group)
    create(kubectl, "CustomResourceDefinition", body, "apiextensions.k8s.io/v1")
    kubectl("wait", "--for=condition=Established", f"crd/foos.{group}", PATIENCE)
    for field, *words in EXPLAINED:
        has(kubectl("explain", field, f"--api-version={group}/v1"), *words)
    assert 'field "bars2" does not exist' in kubectl.fails("explain", "foos.spec.bars2", f"--api-version={group}/v1")
    refused = (
        ({"foo": True}, 'unknown field "spec.foo"'),
        ({"bars": [{"age": "10"}]}, "spec.bars[0].name: Required value"),
    )
    for spec, text in refused:
        given = json.dumps({"apiVersion": f"{group}/v1", "kind": "Foo", "metadata": {"name": "x"}, "spec": spec})
        for verb in ("create", "apply"):
            assert text in kubectl.fails(verb, "-f", "-", stdin=given)
    kubectl("delete", f"crd/foos.{group}")
