"""kubectl, in the versions 1.32 and 1.35: what people type, and what they read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
import yaml

from tests.clients.command import Command
from tests.clients.downloads import Tools

_WEB = str(Path(__file__).parent / "manifests" / "web.yaml")
_GREETINGS = Path(__file__).parent / "manifests" / "greetings.yaml"
_PATIENCE = "--timeout=30s"


@pytest.fixture(params=["1.32", "1.35"])
def kubectl(request: pytest.FixtureRequest, environment: Mapping[str, str], namespace: str) -> Command:
    """kubectl of the system when it is the version asked for, or the one that was fetched."""
    if request.param == "1.35":
        tools: Tools = request.getfixturevalue("tools")
        program = tools.kubectl
    else:
        program = Path(shutil.which("kubectl") or "/nonexistent")
        if not program.exists() or f"v{request.param}." not in version(program):
            pytest.skip(f"kubectl {request.param} is not installed")
    return Command(program, (f"--namespace={namespace}",), environment)


def version(program: Path) -> str:
    """What `kubectl version --client` says."""
    return subprocess.run([program, "version", "--client"], check=True, capture_output=True, text=True).stdout


def rows(table: str) -> list[list[str]]:
    """A table's cells without its heading."""
    return [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:]]


def test_a_deployment_from_apply_to_delete(kubectl: Command) -> None:
    assert kubectl("apply", "-f", _WEB) == "deployment.apps/web created\nservice/web created\n"
    assert 'deployment "web" successfully rolled out' in kubectl("rollout", "status", "deployment/web", _PATIENCE)
    assert kubectl("apply", "-f", _WEB) == "deployment.apps/web unchanged\nservice/web unchanged\n"
    assert [row[1:3] for row in rows(kubectl("get", "pods"))] == [["1/1", "Running"]] * 2
    assert rows(kubectl("get", "deploy"))[0][:4] == ["web", "2/2", "2", "2"]

    kubectl("set", "image", "deployment/web", "web=nginx:1.28")
    kubectl("rollout", "status", "deployment/web", _PATIENCE)
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", _PATIENCE)
    image = "--output=jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deployment", "web", image) == "nginx:1.27"
    assert [row[0] for row in rows(kubectl("rollout", "history", "deployment/web"))[1:3]] == ["2", "3"]
    kubectl("rollout", "restart", "deployment/web")
    kubectl("rollout", "status", "deployment/web", _PATIENCE)

    kubectl("scale", "deployment/web", "--replicas=3", "--current-replicas=2")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web", _PATIENCE)
    kubectl("wait", "--for=condition=Ready", "pods", "--selector=app=web", _PATIENCE)
    differences = kubectl.run("diff", "-f", _WEB)
    assert differences.returncode == 1
    assert "-  replicas: 3\n+  replicas: 2" in differences.stdout

    assert kubectl("delete", "-f", _WEB).startswith('deployment.apps "web" deleted')
    kubectl("wait", "--for=delete", "pods", "--selector=app=web", _PATIENCE)
    assert "No resources found" in kubectl.run("get", "all").stderr


def test_server_side_apply_has_owners_and_conflicts(kubectl: Command) -> None:
    ours = ("apply", "--server-side", "--field-manager=ours", "-f", _WEB)
    assert "deployment.apps/web serverside-applied" in kubectl(*ours)
    kubectl("scale", "deployment/web", "--replicas=5")
    conflict = kubectl.fails(*ours)
    assert 'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale"' in conflict
    assert ".spec.replicas" in conflict
    kubectl(*ours, "--force-conflicts")
    assert kubectl("get", "deployment", "web", "--output=jsonpath={.spec.replicas}") == "2"
    managers = kubectl.json("get", "deployment", "web", "--show-managed-fields")["metadata"]["managedFields"]
    assert "Apply" in [each["operation"] for each in managers if each["manager"] == "ours"]


def test_client_side_apply_goes_over_to_the_server(kubectl: Command) -> None:
    kubectl("apply", "-f", _WEB)
    kubectl("apply", "--server-side", "-f", _WEB)
    assert kubectl("apply", "-f", _WEB, "--dry-run=server").count("(server dry run)") == 2


def test_patches_labels_and_annotations(kubectl: Command) -> None:
    kubectl("create", "configmap", "settings", "--from-literal=a=1", "--from-literal=b=2")
    get = ("get", "configmap", "settings")
    kubectl("patch", "configmap", "settings", "--type=merge", "--patch", '{"data":{"a":null,"c":"3"}}')
    kubectl("patch", "configmap", "settings", "--type=json", "--patch", '[{"op":"remove","path":"/data/b"}]')
    kubectl("patch", "configmap", "settings", "--patch", '{"data":{"d":"4"}}')
    assert kubectl.json(*get)["data"] == {"c": "3", "d": "4"}
    kubectl("label", "configmap", "settings", "tier=front")
    assert "already has a value" in kubectl.fails("label", "configmap", "settings", "tier=back")
    kubectl("annotate", "configmap", "settings", "note=well")
    assert kubectl("get", "configmaps", "--selector=tier in (front,middle)", "--output=name") == "configmap/settings\n"
    assert kubectl("get", "configmaps", "--selector=tier=back", "--output=name") == ""
    field = "--field-selector=metadata.name!=kube-root-ca.crt"
    assert kubectl("get", "configmaps", field, "--output=name") == "configmap/settings\n"
    kubectl("label", "configmap", "settings", "tier-")
    assert "labels" not in kubectl.json(*get)["metadata"]


def test_secrets_tokens_and_rights(kubectl: Command, namespace: str) -> None:
    kubectl("create", "secret", "generic", "password", "--from-literal=word=sesame")
    assert kubectl("get", "secret", "password", "--output=jsonpath={.data.word}") == "c2VzYW1l"
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "reads", "--verb=get,list", "--resource=configmaps")
    kubectl("create", "rolebinding", "reads", "--role=reads", f"--serviceaccount={namespace}:reader")
    assert kubectl("create", "token", "reader", "--duration=1h").count(".") == 2
    reader = f"system:serviceaccount:{namespace}:reader"
    assert kubectl("auth", "can-i", "list", "configmaps", f"--as={reader}") == "yes\n"
    assert kubectl.run("auth", "can-i", "list", "secrets", f"--as={reader}").stdout == "no\n"
    assert reader in kubectl("auth", "whoami", f"--as={reader}")
    assert "configmaps" in kubectl("auth", "can-i", "--list", f"--as={reader}")
    denied = kubectl.fails("get", "secrets", f"--as={reader}")
    assert f'User "{reader}" cannot list resource "secrets" in API group ""' in denied


def test_mistakes_are_explained(kubectl: Command, tmp_path: Path) -> None:
    assert 'pods "none" not found' in kubectl.fails("get", "pod", "none")
    assert 'the server doesn\'t have a resource type "unicorns"' in kubectl.fails("get", "unicorns")
    kubectl("create", "configmap", "twice")
    assert 'configmaps "twice" already exists' in kubectl.fails("create", "configmap", "twice")
    wrong = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"container": []}}
    file = tmp_path / "wrong.json"
    file.write_bytes(msgspec.json.encode(wrong))
    assert 'unknown field "spec.container"' in kubectl.fails("apply", "-f", str(file))
    assert "spec.containers: Required value" in kubectl.fails("apply", "-f", str(file), "--validate=ignore")
    file.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: Upper}\nspec: {ports: [{port: 80}]}\n")
    assert 'metadata.name: Invalid value: "Upper"' in kubectl.fails("apply", "-f", str(file))


def test_describe_explain_and_lists_of_what_there_is(kubectl: Command) -> None:
    kubectl("apply", "-f", _WEB)
    kubectl("rollout", "status", "deployment/web", _PATIENCE)
    described = kubectl("describe", "deployment", "web")
    assert "Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in described
    assert "ScalingReplicaSet" in described
    assert "Successfully assigned" in kubectl("describe", "pods", "--selector=app=web")
    assert "Endpoints:" in kubectl("describe", "service", "web")
    assert "10.244." in kubectl("describe", "service", "web")
    assert "FIELD: strategy <DeploymentStrategy>" in kubectl("explain", "deployment.spec.strategy")
    resources = kubectl("api-resources", "--namespaced=true", "--verbs=list", "--output=name").split()
    assert {"pods", "deployments.apps", "ingresses.networking.k8s.io", "leases.coordination.k8s.io"} <= set(resources)
    assert "apps/v1" in kubectl("api-versions").split()
    assert "Server Version: v1.36" in kubectl("version")
    assert "is running at" in kubectl("cluster-info")
    assert "ok" in kubectl("get", "--raw=/readyz")


def test_output_formats(kubectl: Command) -> None:
    kubectl("apply", "-f", _WEB)
    kubectl("rollout", "status", "deployment/web", _PATIENCE)
    columns = "--output=custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image"
    assert rows(kubectl("get", "deployments", columns)) == [["web", "nginx:1.27"]]
    assert "kind: Deployment" in kubectl("get", "deployment", "web", "--output=yaml")
    template = "--output=go-template={{range .items}}{{.metadata.name}} {{end}}"
    assert kubectl("get", "services", template) == "web "
    assert all(row[-4].startswith("10.244.") for row in rows(kubectl("get", "pods", "--output=wide")))
    assert len(rows(kubectl("get", "pods", "--sort-by=.metadata.name", "--show-labels"))) == 2
    assert {row[0] for row in rows(kubectl("get", "pods", "--chunk-size=1"))} == {
        name.removeprefix("pod/") for name in kubectl("get", "pods", "--output=name").split()
    }
    assert "service/web" in kubectl("get", "all")
    assert rows(kubectl("get", "pods", "--all-namespaces", "--selector=app=web"))


def test_a_watch_prints_what_changes(kubectl: Command) -> None:
    words = [str(kubectl.program), *kubectl.flags, "get", "pods", "--watch", "--no-headers", "--output-watch-events"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(kubectl.environment)) as watching:
        assert watching.stdout is not None
        kubectl("run", "one", "--image=nginx")
        for line in watching.stdout:
            if "Running" in line:
                assert line.split()[1] == "one"
                break
        kubectl("delete", "pod", "one", "--grace-period=0", "--force")
        assert any(line.startswith("DELETED") for line in watching.stdout)
        watching.terminate()


def test_events_are_watched(kubectl: Command) -> None:
    """The typed clients behind `events`, `create` and `describe` speak protobuf, in watches too."""
    words = [str(kubectl.program), *kubectl.flags, "events", "--watch", "--no-headers"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(kubectl.environment)) as watching:
        assert watching.stdout is not None
        kubectl("run", "one", "--image=nginx")
        assert any("Scheduled" in line for line in watching.stdout)
        watching.terminate()


def test_what_is_read_in_protobuf_is_what_is_read_in_json(kubectl: Command) -> None:
    for resource, name, *words in (
        ("configmaps", "m", "configmap", "m", "--from-literal=a=b"),
        ("secrets", "s", "secret", "generic", "s", "--from-literal=a=b"),
        ("ingresses", "i", "ingress", "i", "--rule=a.example/b*=web:http,tls=t"),
        ("roles", "r", "role", "r", "--verb=get", "--resource=pods", "--resource-name=p"),
        ("serviceaccounts", "a", "serviceaccount", "a"),
    ):
        assert kubectl.json("create", *words) == kubectl.json("get", resource, name)


def test_jobs_run_and_are_waited_for(kubectl: Command) -> None:
    kubectl("create", "job", "forever", "--image=busybox", "--", "sleep", "1000")
    kubectl("wait", "--for=jsonpath={.status.active}=1", "job/forever", _PATIENCE)
    kubectl("create", "cronjob", "nightly", "--image=busybox", "--schedule=0 3 * * *", "--", "true")
    kubectl("create", "job", "tonight", "--from=cronjob/nightly")
    assert {row[0] for row in rows(kubectl("get", "jobs"))} == {"forever", "tonight"}
    kubectl("delete", "cronjob", "nightly", "--cascade=foreground")
    kubectl("wait", "--for=delete", "job/tonight", _PATIENCE)


def test_autoscaler_disruption_budget_quota_and_ingress(kubectl: Command) -> None:
    kubectl("apply", "-f", _WEB)
    kubectl("autoscale", "deployment", "web", "--min=2", "--max=4")
    kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=1")
    kubectl("create", "quota", "small", "--hard=configmaps=2")
    kubectl("create", "ingress", "web", "--rule=example.com/*=web:80")
    kubectl("create", "configmap", "second")
    assert "exceeded quota: small" in kubectl.fails("create", "configmap", "third")
    assert rows(kubectl("get", "hpa"))[0][1] == "Deployment/web"
    assert rows(kubectl("get", "ingress"))[0][:3] == ["web", "<none>", "example.com"]
    kubectl("wait", "--for=jsonpath={.status.expectedPods}=2", "pdb/web", _PATIENCE)


def test_nodes_are_cordoned_tainted_and_drained(kubectl: Command) -> None:
    kubectl("apply", "-f", _WEB)
    kubectl("rollout", "status", "deployment/web", _PATIENCE)
    try:
        kubectl("drain", "worker-1", "--ignore-daemonsets", "--delete-emptydir-data", "--force", _PATIENCE)
        assert rows(kubectl("get", "node", "worker-1"))[0][1] == "Ready,SchedulingDisabled"
        kubectl("rollout", "status", "deployment/web", _PATIENCE)
        nodes = kubectl("get", "pods", "--output=jsonpath={.items[*].spec.nodeName}")
        assert set(nodes.split()) == {"worker-2"}
    finally:
        kubectl("uncordon", "worker-1")
    kubectl("taint", "node", "worker-1", "for=others:PreferNoSchedule")
    kubectl("taint", "node", "worker-1", "for-")


def test_everything_of_a_folder_is_replaced_and_pruned(kubectl: Command, tmp_path: Path) -> None:
    for name in ("one", "two"):
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"set": "mine"}}}
        (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(document))
    prune = ("--prune", "--selector=set=mine", "--prune-allowlist=core/v1/ConfigMap")
    kubectl("apply", "-f", str(tmp_path), *prune)
    (tmp_path / "two.json").unlink()
    assert "configmap/two pruned" in kubectl("apply", "-f", str(tmp_path), *prune)
    assert kubectl("get", "configmaps", "--selector=set=mine", "--output=name") == "configmap/one\n"
    kubectl("replace", "-f", str(tmp_path))
    kubectl("replace", "--force", "-f", str(tmp_path))
    kubectl("delete", "configmaps", "--selector=set=mine")


def test_a_kind_of_ones_own(kubectl: Command, tmp_path: Path) -> None:
    definition = yaml.safe_load(_GREETINGS.read_text())
    definition["metadata"]["name"] = "greetings.kubectl.example.com"
    definition["spec"]["group"] = "kubectl.example.com"
    file = tmp_path / "definition.yaml"
    file.write_text(yaml.safe_dump(definition))
    kubectl("apply", "-f", str(file))
    try:
        kubectl("wait", "--for=condition=Established", "crd/greetings.kubectl.example.com", _PATIENCE)
        _use_greetings(kubectl)
    finally:
        kubectl("delete", "-f", str(file))
    assert "doesn't have a resource type" in kubectl.fails("get", "greetings.kubectl.example.com")


def _use_greetings(kubectl: Command) -> None:
    greeting = {"apiVersion": "kubectl.example.com/v1", "kind": "Greeting", "metadata": {"name": "hello"}}
    document = json.dumps(greeting | {"spec": {"words": "good morning"}})
    assert "hello created" in kubectl("apply", "-f", "-", stdin=document)
    assert "hello serverside-applied" in kubectl("apply", "--server-side", "-f", "-", stdin=document)
    assert rows(kubectl("get", "greetings.kubectl.example.com"))[0][:2] == ["hello", "good morning"]
    assert kubectl("get", "greetings.v1.kubectl.example.com", "hello", "--output=jsonpath={.spec.times}") == "1"
    wrong = json.dumps(greeting | {"spec": {"words": "x" * 41}})
    assert "spec.words: Too long: may not be more than 40" in kubectl.fails("apply", "-f", "-", stdin=wrong)
    unknown = json.dumps(greeting | {"spec": {"words": "x", "loud": True}})
    assert 'unknown field "spec.loud"' in kubectl.fails("apply", "-f", "-", stdin=unknown)
    kubectl("patch", "greetings.kubectl.example.com", "hello", "--type=merge", "--patch", '{"spec":{"times":3}}')
    status = ("--subresource=status", "--type=merge", "--patch", '{"status":{"said":true}}')
    kubectl("patch", "greetings.kubectl.example.com", "hello", *status)
    kubectl("wait", "--for=jsonpath={.status.said}=true", "greetings.kubectl.example.com/hello", _PATIENCE)
    assert "words" in kubectl("explain", "greetings.spec", "--api-version=kubectl.example.com/v1")
    kubectl("delete", "greetings.kubectl.example.com", "--all")


def test_logs_of_a_node_that_does_not_answer_are_an_error(kubectl: Command) -> None:
    kubectl("run", "one", "--image=nginx")
    kubectl("wait", "--for=condition=Ready", "pod/one", _PATIENCE)
    assert "connection refused" in kubectl.fails("logs", "one")
    assert "container two is not valid for pod one" in kubectl.fails("logs", "one", "--container=two")
    assert 'pods "none" not found' in kubectl.fails("exec", "none", "--", "true")


def test_a_long_list_comes_compressed_and_is_whole(kubectl: Command) -> None:
    for name in ("one", "two", "three"):
        kubectl("create", "configmap", name, f"--from-literal=text={'x' * 60_000}")
    # Go's client asks for gzip on its own and hides that it got it, but for what caches are told.
    read = kubectl.run("get", "configmaps", "-v=8", "--output=json")
    texts = [item["data"]["text"] for item in json.loads(read.stdout)["items"] if "text" in item["data"]]
    assert [len(text) for text in texts] == [60_000] * 3
    assert "Vary: Accept-Encoding" in read.stderr
    assert "Vary" not in kubectl.run("get", "configmaps", "one", "-v=8", "--output=json").stderr
