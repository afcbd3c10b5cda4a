"""What a pod may ask of its node, as upstream's NodeConformance does: the real kubectl, real containers, one cluster.

`pods/*.yaml` are all applied at once, so that they come up side by side; each test waits for its own pods.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.driven_cluster import Cluster, processes_of

from pybernetes.walkthrough.walk import pyb_command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
MANIFESTS = Path(__file__).parent / "pods"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    name = f"p{os.getpid()}"
    start = pyb_command("up", "--name", name, "--workers", "2", "--no-egress")
    up = subprocess.run(start, capture_output=True, text=True, timeout=280, check=False)
    try:
        assert up.returncode == 0, up.stderr
        found = Cluster(name)
        place = str(tmp_path_factory.mktemp("host"))
        found("apply", "-f", str(MANIFESTS / "base.yaml"))
        others = sorted(MANIFESTS.glob("*.yaml"), key=lambda path: (path.name != "base.yaml", path.name))[1:]
        text = "\n---\n".join(path.read_text() for path in others)
        found("apply", "-f", "-", given=text.replace("HOST_DIRECTORY", place))
        yield found
    finally:
        subprocess.run(pyb_command("down", "--name", name), capture_output=True, timeout=120, check=True)


# Environment, command and arguments.


def test_environment_from_everywhere(cluster: Cluster) -> None:
    cluster.wait("pod/env", "phase=Succeeded")
    lines = cluster("logs", "env").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    pod = cluster.get("pod", "env")
    expected = {
        "PLAIN": "plain",
        "EXPANDED": "plain-blue-5432-$(LATER)-$(PLAIN)",
        "CFG_color": "blue",
        "CFG_size": "small",
        "password": "swordfish",
        "user": "overridden",
        "NAME": "env",
        "NAMESPACE": "default",
        "ID": pod["metadata"]["uid"],
        "LABEL": "env",
        "NOTE": "a note",
        "NODE": pod["spec"]["nodeName"],
        "ACCOUNT": "default",
        "HOST_IP": pod["status"]["hostIP"],
        "POD_IP": pod["status"]["podIP"],
        "CPU": "100",
        "MEMORY": "32",
        "COLOR": "blue",
        "PASSWORD": "swordfish",
        "HOSTNAME": "env",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert "MISSING" not in found
    assert "CFG_raw" not in found
    node = cluster.get("node", pod["spec"]["nodeName"])
    assert found["ALL_CPU"] == node["status"]["allocatable"]["cpu"]
    assert [line for line in lines if line.startswith("arg=")] == [
        "arg=plain",
        "arg=$(PLAIN)",
        "arg=$(NOWHERE)",
        "arg=a$",
    ]


def test_service_links(cluster: Cluster) -> None:
    cluster.wait("pod/env", "phase=Succeeded")
    cluster.wait("pod/no-links", "phase=Succeeded")
    address = cluster.get("service", "my-database")["spec"]["clusterIP"]
    linked = cluster("logs", "env").splitlines()
    for line in (
        f"MY_DATABASE_SERVICE_HOST={address}",
        "MY_DATABASE_SERVICE_PORT=5432",
        "MY_DATABASE_SERVICE_PORT_WEB=80",
        f"MY_DATABASE_PORT=tcp://{address}:5432",
        f"MY_DATABASE_PORT_80_TCP=tcp://{address}:80",
        "MY_DATABASE_PORT_80_TCP_PROTO=tcp",
    ):
        assert line in linked
    assert not any("NAMED" in line for line in linked)
    names = {line.partition("=")[0] for line in cluster("logs", "no-links").splitlines()}
    assert "KUBERNETES_SERVICE_HOST" in names
    assert not any(name.startswith("MY_DATABASE") for name in names)


def test_what_the_image_says_holds_unless_the_pod_says_otherwise(cluster: Cluster) -> None:
    cluster.wait("pod/image-defaults", "Ready")
    assert cluster.inside("image-defaults", "tr '\\0' ' ' < /proc/1/cmdline; echo; pwd", "args") == [
        "sleep 1000 ",
        "/work",
    ]
    assert cluster.inside("image-defaults", "tr '\\0' ' ' < /proc/1/cmdline", "web")[0].startswith("nginx: master")


# Initialization, ends and restarts.


def test_init_containers_run_in_order_and_before_the_others(cluster: Cluster) -> None:
    cluster.wait("pod/init-order", "phase=Succeeded")
    assert cluster("logs", "init-order") == "first\nsecond\n"
    assert [each["ready"] for each in cluster.states("init-order", "initContainerStatuses").values()] == [True, True]


def test_a_failed_init_container_fails_the_pod_that_never_restarts(cluster: Cluster) -> None:
    cluster.wait("pod/init-fails", "phase=Failed")
    inits = cluster.states("init-fails", "initContainerStatuses")
    assert inits["bad"]["state"]["terminated"]["exitCode"] == 3
    assert inits["never"]["state"]["waiting"]["reason"] == "PodInitializing"
    assert cluster.states("init-fails")["main"]["state"]["waiting"]["reason"] == "PodInitializing"
    assert "Init:Error" in cluster("get", "pod", "init-fails")


def test_a_failed_init_container_is_tried_again_with_back_off(cluster: Cluster) -> None:
    cluster.wait("pod/init-again", "initContainerStatuses[0].state.waiting.reason=CrashLoopBackOff")
    assert "Init:CrashLoopBackOff" in cluster("get", "pod", "init-again")
    pod = cluster.get("pod", "init-again")
    assert pod["status"]["phase"] == "Pending"
    assert pod["status"]["initContainerStatuses"][0]["restartCount"] >= 1
    assert {each["type"]: each["status"] for each in pod["status"]["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "False",
        "Ready": "False",
        "ContainersReady": "False",
        "PodScheduled": "True",
    }


def test_sidecars_start_first_and_end_last(cluster: Cluster) -> None:
    cluster.wait("pod/sidecar", "phase=Succeeded")
    assert cluster("logs", "sidecar") == "up\n"
    assert cluster("logs", "sidecar", "-c", "beside") == "runs\ntold to end\n"
    beside = cluster.states("sidecar", "initContainerStatuses")["beside"]
    assert (beside["state"]["terminated"]["exitCode"], beside["restartCount"]) == (0, 0)


def test_exit_codes_and_restart_policies(cluster: Cluster) -> None:
    cluster.wait("pod/exits", "phase=Failed")
    cluster.wait("pod/once-more", "phase=Succeeded")
    ended = {name: (each["exitCode"], each["reason"]) for name, each in cluster.ended("exits").items()}
    assert ended == {"seven": (7, "Error"), "zero": (0, "Completed"), "signal": (137, "Error")}
    assert cluster.states("once-more")["main"]["restartCount"] == 1
    assert cluster("logs", "once-more") == "try\n"
    assert cluster("logs", "once-more", "--previous") == "try\nfailed\n"


def test_a_crash_loop_is_shown_and_held_back(cluster: Cluster) -> None:
    cluster.wait("pod/crashes", "containerStatuses[0].state.waiting.reason=CrashLoopBackOff")
    row = cluster("get", "pod", "crashes").splitlines()[1].split()
    assert row[1:3] == ["0/1", "CrashLoopBackOff"]
    main = cluster.states("crashes")["main"]
    assert main["restartCount"] >= 1
    assert main["lastState"]["terminated"]["exitCode"] == 1
    uid = cluster.get("pod", "crashes")["metadata"]["uid"]
    message = f"restarting failed container=main pod=crashes_default({uid})"
    assert main["state"]["waiting"]["message"].startswith("back-off ")
    assert main["state"]["waiting"]["message"].endswith(message)
    assert cluster("logs", "crashes", "--previous") == "about to crash\n"


def test_termination_messages(cluster: Cluster) -> None:
    cluster.wait("pod/messages", "phase=Failed")
    messages = {name: each.get("message") for name, each in cluster.ended("messages").items()}
    assert messages == {"file": "written", "other": "elsewhere", "logs": "from the log\n", "silent": None}


def test_a_deadline_ends_the_pod(cluster: Cluster) -> None:
    cluster.wait("pod/deadline", "phase=Failed")
    status = cluster.get("pod", "deadline")["status"]
    assert status["reason"] == "DeadlineExceeded"
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
    cluster.wait("pod/deadline", "containerStatuses[0].state.terminated.exitCode=137")


def test_a_pod_is_asked_to_end(cluster: Cluster) -> None:
    cluster.wait("pod/polite", "Ready")
    command = ("kubectl", "logs", "-f", "polite")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=cluster.environment) as logs:
        assert logs.stdout is not None
        assert logs.stdout.readline() == "runs\n"
        cluster("delete", "pod", "polite")
        assert logs.communicate(timeout=30)[0] == "told to end\n"
    assert "NotFound" in cluster.run("get", "pod", "polite").stderr


def test_a_pod_can_be_made_to_end_at_once(cluster: Cluster) -> None:
    cluster.wait("pod/stubborn", "Ready")
    cluster("delete", "pod", "stubborn", "--grace-period=0", "--force")
    assert "NotFound" in cluster.run("get", "pod", "stubborn").stderr


# Probes and hooks.


def test_a_failed_liveness_probe_restarts_the_container(cluster: Cluster) -> None:
    for index in range(3):
        cluster.wait("pod/liveness", f"containerStatuses[{index}].restartCount=1")
    seen = cluster.events("liveness", "Unhealthy")
    assert "Liveness probe failed: HTTP probe failed with statuscode: 404" in seen
    assert "connect: connection refused" in seen
    assert "Container tcp failed liveness probe, will be restarted" in cluster.events("liveness", "Killing")
    assert cluster("logs", "liveness", "-c", "command", "--previous") == "generation\n"


def test_readiness_decides_who_serves(cluster: Cluster) -> None:
    slices = ("wait", "endpointslice", "-l", "kubernetes.io/service-name=gated", "--timeout=30s")
    ready = "--for=jsonpath={.endpoints[0].conditions.ready}="
    cluster.wait("pod/gated", "phase=Running")
    cluster(*slices, f"{ready}false")
    cluster.inside("gated", "touch /ready")
    cluster.wait("pod/gated", "Ready")
    cluster(*slices, f"{ready}true")
    cluster.inside("gated", "rm /ready")
    cluster.wait("pod/gated", "Ready=False")
    cluster(*slices, f"{ready}false")
    assert cluster.states("gated")["main"]["restartCount"] == 0


def test_other_probes_wait_for_the_startup_probe(cluster: Cluster) -> None:
    cluster.wait("pod/slow-start", "phase=Running")
    assert cluster.states("slow-start")["main"]["started"] is False
    cluster.inside("slow-start", "touch /started")
    cluster.wait("pod/slow-start", "Ready")
    main = cluster.states("slow-start")["main"]
    assert (main["started"], main["restartCount"]) == (True, 0)


def test_hooks_run_as_commands_and_as_requests(cluster: Cluster, tmp_path: Path) -> None:
    cluster.wait("pod/handler", "Ready")
    address = cluster.get("pod", "handler")["status"]["podIP"]
    request = {"host": address, "port": 8080}
    command = {"exec": {"command": ["sh", "-c", "echo stopping >> /host/hooks"]}}
    lifecycle = {
        "command": {
            "postStart": {"exec": {"command": ["sh", "-c", "echo started >> /host/hooks"]}},
            "preStop": command,
        },
        "request": {
            "postStart": {"httpGet": {**request, "path": "/started"}},
            "preStop": {"httpGet": {**request, "path": "/stopping"}},
        },
    }
    mounts = [{"name": "host", "mountPath": "/host"}]
    usual = {
        "image": "busybox",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "1000"],
        "volumeMounts": mounts,
    }
    containers = [{"name": name, "lifecycle": hooks, **usual} for name, hooks in lifecycle.items()]
    volumes = [{"name": "host", "hostPath": {"path": str(tmp_path)}}]
    spec = {"terminationGracePeriodSeconds": 3, "containers": containers, "volumes": volumes}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hooked"}, "spec": spec}
    cluster("apply", "-f", "-", given=json.dumps(pod))
    cluster.wait("pod/hooked", "Ready")
    cluster("delete", "pod", "hooked")
    assert (tmp_path / "hooks").read_text() == "started\nstopping\n"
    heard = cluster("logs", "handler")
    assert "url:/started" in heard
    assert "url:/stopping" in heard


# Volumes.


def test_files_made_of_api_data(cluster: Cluster) -> None:
    cluster.wait("pod/volumes", "Ready")
    script = "cd /; for each in config/* chosen/deep/down/* secret/* downward/name downward/cpu projected/size"
    script += " projected/user projected/place projected/token; do stat -L -c '%a %n' $each; done"
    assert cluster.inside("volumes", script, "main") == [
        "400 config/color",
        "400 config/raw",
        "400 config/size",
        "640 chosen/deep/down/color",
        "444 secret/password",
        "444 secret/user",
        "400 downward/name",
        "644 downward/cpu",
        "440 projected/size",
        "400 projected/user",
        "440 projected/place",
        "440 projected/token",
    ]
    read = "cat /chosen/deep/down/color /secret/password /downward/name /downward/cpu /projected/size /projected/place"
    assert cluster.inside("volumes", read, "main") == ["blueswordfishvolumes50smalldefault"]
    assert cluster.inside("volumes", "od -An -tx1 /config/raw; cat /downward/labels", "main") == [
        " 00 01 02",
        'mark="before"',
    ]
    assert 'note="a \\"note\\""' in cluster.inside("volumes", "cat /downward/annotations", "main")
    assert "Read-only file system" in cluster.inside("volumes", "touch /config/more", "main")[0]


def test_files_follow_the_api(cluster: Cluster) -> None:
    cluster.wait("pod/volumes", "Ready")
    cluster("patch", "configmap", "changing", "-p", '{"data": {"word": "after", "more": "x"}}')
    cluster("create", "configmap", "later", "--from-literal=key=late")
    cluster("label", "pod", "volumes", "mark=after", "--overwrite")
    wait = "until grep -q after /changing/word && test -e /changing/more && grep -q late /absent/key"
    wait += " && grep -q after /downward/labels; do sleep 0.1; done; cat /word"
    assert cluster.inside("volumes", wait, "main") == ["before"]  # what a subPath shows stays


def test_places_of_the_node_and_of_the_pod(cluster: Cluster) -> None:
    cluster.wait("pod/volumes", "Ready")
    script = "echo text > /host/new; echo more > /file; cat /untyped/made/new /untyped/file; touch /untyped/x; "
    script += "echo s > /sub/s; echo e > /expression/e; cat /plain/below/here/s /plain/volumes/e"
    seen = cluster.inside("volumes", script, "main")
    assert seen == ["text", "more", "touch: /untyped/x: Read-only file system", "s", "e"]
    modes = cluster.inside(
        "volumes", "stat -c %a /plain /memory; stat -f -c %T /memory; df -k /memory | tail -1", "main"
    )
    assert modes[:3] == ["777", "777", "tmpfs"]
    assert modes[3].split()[1] == "8192"
    assert cluster.inside("volumes", "echo shared > /memory/file", "main") == []
    both = cluster.inside("volumes", "cat /memory/file /plain/below/here/s; touch /plain/x", "other")
    assert both == ["shared", "s", "touch: /plain/x: Read-only file system"]


def test_volumes_that_cannot_be(cluster: Cluster) -> None:
    for name in ("wrong-type", "no-config"):
        cluster.wait(f"pod/{name}", "containerStatuses[0].state.waiting.reason=ContainerCreating")
    cluster.wait("pod/escaping", "containerStatuses[0].state.waiting.reason=CreateContainerConfigError")
    assert "hostPath type check failed" in cluster.events("wrong-type", "FailedMount")
    text = cluster.events("no-config", "FailedMount")
    assert text.startswith('MountVolume.SetUp failed for volume "config" : configmap "not-yet" not found')
    cluster("create", "configmap", "not-yet", "--from-literal=a=b")
    cluster.wait("pod/no-config", "PodReadyToStartContainers")


def test_tokens_are_accepted(cluster: Cluster) -> None:
    cluster.wait("pod/volumes", "Ready")
    usual = cluster.inside("volumes", "cat /var/run/secrets/kubernetes.io/serviceaccount/token", "main")[0]
    vault = cluster.inside("volumes", "cat /projected/token", "main")[0]
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}

    def status(spec: dict[str, Any]) -> Any:
        return json.loads(cluster("create", "-o", "json", "-f", "-", given=json.dumps({**review, "spec": spec})))[
            "status"
        ]

    found = status({"token": usual})
    assert found["authenticated"]
    assert found["user"]["username"] == "system:serviceaccount:default:default"
    assert found["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["volumes"]
    assert not status({"token": vault}).get("authenticated")
    assert status({"token": vault, "audiences": ["vault"]})["audiences"] == ["vault"]


# Rights and resources.


def test_who_a_container_is(cluster: Cluster) -> None:
    cluster.wait("pod/users", "Ready")
    assert cluster.inside("users", "id -u; id -g; id -G", "pod") == ["1000", "2000", "2000 3000 4000"]
    assert cluster.inside("users", "id -u", "own") == ["1001"]
    cluster.wait("pod/group-only", "Ready")
    assert cluster.inside("group-only", "id -u; id -g") == ["0", "2000"]
    script = "touch /plain/x && stat -c %g /plain/x; stat -c '%g %a' /plain; cat /secret/user; echo; "
    script += "test -s /token/token && echo token"
    assert cluster.inside("users", script, "pod") == ["3000", "3000 2777", "joe", "token"]
    assert cluster.inside("users", "cat /proc/sys/kernel/shm_rmid_forced", "pod") == ["1"]
    cluster.wait("pod/unsafe", "reason=SysctlForbidden")
    cluster.wait("pod/must-not-be-root", "containerStatuses[0].state.waiting.reason=CreateContainerConfigError")
    message = cluster.states("must-not-be-root")["main"]["state"]["waiting"]["message"]
    assert message.startswith("container has runAsNonRoot and image will run as root")


def test_what_a_container_may(cluster: Cluster) -> None:
    cluster.wait("pod/users", "Ready")
    script = "grep -E 'CapEff|NoNewPrivs' /proc/self/status | tr -d '\\t '; touch /x"
    locked = cluster.inside("users", script, "locked")
    assert locked == ["CapEff:0000000000000000", "NoNewPrivs:1", "touch: /x: Read-only file system"]
    added = cluster.inside("users", script, "added")
    bits = int(added[0].removeprefix("CapEff:"), 16)
    assert (bits >> 12 & 1, bits & 1, added[1]) == (1, 0, "NoNewPrivs:0")
    assert int(cluster.inside("users", script, "strong")[0].removeprefix("CapEff:"), 16) > bits
    # The root user of one container is no root of the node.
    assert "NoNewPrivs:0" in cluster.inside("users", "grep NoNewPrivs /proc/self/status | tr -d '\\t '", "pod")


def test_resources_are_control_groups(cluster: Cluster) -> None:
    cluster.wait("pod/resources", "Ready")
    cluster.wait("pod/guaranteed", "Ready")
    cluster.wait("pod/greedy", "phase=Failed")
    read = (
        "cd /sys/fs/cgroup; cat cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us memory/memory.limit_in_bytes"
    )
    assert cluster.inside("resources", read, "burstable") == ["256", "50000", "100000", str(64 << 20)]
    assert cluster.inside("resources", read, "free")[:3] == ["2", "-1", "100000"]
    assert cluster.inside("guaranteed", read) == ["102", "10000", "100000", str(32 << 20)]
    classes = [cluster.get("pod", name)["status"]["qosClass"] for name in ("resources", "guaranteed", "healthy")]
    assert classes == ["Burstable", "Guaranteed", "BestEffort"]
    greedy = cluster.ended("greedy")["main"]
    assert (greedy["reason"], greedy["exitCode"]) == ("OOMKilled", 137)


def test_resources_change_while_a_container_runs(cluster: Cluster) -> None:
    cluster.wait("pod/resized", "Ready")
    before = cluster.states("resized")
    larger = {"requests": {"cpu": "200m", "memory": "32Mi"}, "limits": {"cpu": "300m", "memory": "48Mi"}}
    both = [{"name": name, "resources": larger} for name in ("stays", "restarts")]
    cluster("patch", "pod", "resized", "--subresource=resize", "-p", json.dumps({"spec": {"containers": both}}))
    for index in range(2):
        cluster.wait("pod/resized", f"containerStatuses[{index}].resources.limits.cpu=300m")
    cluster.wait("pod/resized", "containerStatuses[1].restartCount=1", "Ready")
    read = "cd /sys/fs/cgroup; cat cpu/cpu.shares cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes"
    for name in before:
        assert cluster.inside("resized", read, name) == ["204", "30000", str(48 << 20)]
    after = cluster.states("resized")
    assert after["stays"]["containerID"] == before["stays"]["containerID"]
    assert after["stays"]["resources"] == larger


# Network and names.


def test_ports_and_network_of_the_node(cluster: Cluster) -> None:
    cluster.wait("pod/on-host", "Ready")
    cluster.wait("pod/published", "Ready")
    on_host, published = cluster.get("pod", "on-host")["status"], cluster.get("pod", "published")["status"]
    assert on_host["podIP"] == on_host["hostIP"]
    lines = cluster.inside("on-host", "cat /etc/hosts; hostname")
    assert lines[0] == "# Kubernetes-managed hosts file (host network)."
    assert "10.1.2.3\ton-host-alias" in lines
    page = cluster.inside("on-host", f"wget -q -O - http://{published['hostIP']}:18080/ | head -c 9")
    assert page[0].startswith("<")


def test_names_and_resolvers(cluster: Cluster) -> None:
    for name in ("named", "own-dns", "together"):
        cluster.wait(f"pod/{name}", "Ready")
    address = cluster.get("pod", "named")["status"]["podIP"]
    lines = cluster.inside("named", "hostname; cat /etc/hosts")
    assert lines[0] == "custom"
    assert f"{address}\tcustom.named.default.svc.cluster.local\tcustom" in lines
    assert "10.1.2.3\talias\talias.example" in lines
    assert cluster.inside("named", "cat /etc/resolv.conf") == [
        "search default.svc.cluster.local svc.cluster.local cluster.local more.example",
        "nameserver 10.96.0.10",
        "nameserver 10.9.9.9",
        "options ndots:2 edns0",
    ]
    assert cluster.inside("own-dns", "cat /etc/resolv.conf") == ["search only.example", "nameserver 10.9.9.9"]
    whole = cluster.inside("together", "hostname; ps | grep -c '[s]leep 100'", "main")
    assert whole == ["together.named.default.svc.cluster.local", "2"]
    found = cluster.inside("together", "nslookup custom.named.default.svc.cluster.local", "main")
    assert any(address in line for line in found)


# What goes wrong, as it is shown.


def test_errors_are_shown(cluster: Cluster) -> None:
    expected = {
        "never-pulled": "ErrImageNeverPull",
        "bad-name": "InvalidImageName",
        "not-there": "ImagePullBackOff",
        "bad-config": "CreateContainerConfigError",
        "bad-command": "CrashLoopBackOff",
    }
    for name, reason in expected.items():
        cluster.wait(f"pod/{name}", f"containerStatuses[0].state.waiting.reason={reason}")
    rows = {row.split()[0]: row.split()[2] for row in cluster("get", "pods").splitlines()[1:]}
    if rows["not-there"] == "ErrImagePull":  # it is being tried again just now
        rows["not-there"] = "ImagePullBackOff"
    assert {name: rows[name] for name in expected} == expected
    assert cluster.states("bad-config")["main"]["state"]["waiting"]["message"] == 'configmap "nowhere" not found'
    assert "Error: ErrImagePull" in cluster.events("not-there", "Failed")
    last = cluster.states("bad-command")["main"]["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (128, "StartError")
    cluster.wait("pod/bad-command-once", "phase=Failed")
    ended = cluster.ended("bad-command-once")["main"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert 'exec: "/no/such/command": stat /no/such/command: no such file or directory' in ended["message"]


def test_a_debugging_container_joins_a_running_pod(cluster: Cluster) -> None:
    cluster.wait("pod/healthy", "Ready")
    words = ("healthy", "--image=busybox", "--image-pull-policy=IfNotPresent", "-c", "probe", "--target=http")
    cluster("debug", *words, "--", "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; sleep 1000")
    cluster.wait("pod/healthy", "ephemeralContainerStatuses[0].state.running.startedAt")
    assert cluster.inside("healthy", "tr '\\0' ' ' < /proc/1/cmdline", "probe") == ["httpd -f -p 8080 -h /etc "]


# Workloads.


def test_workloads_run(cluster: Cluster) -> None:
    cluster("rollout", "status", "daemonset/everywhere", "--timeout=60s")
    cluster("rollout", "status", "statefulset/web", "--timeout=60s")
    cluster.wait("job/three", "Complete")
    assert cluster.get("job", "three")["status"]["succeeded"] == 3
    nodes = {pod["spec"]["nodeName"] for pod in cluster.get("pods", "-l", "app=everywhere")["items"]}
    assert len(nodes) == 3
    for name in ("web-0", "web-1"):
        address = cluster.get("pod", name)["status"]["podIP"]
        found = cluster.inside("web-0", f"nslookup {name}.web.default.svc.cluster.local; hostname")
        assert any(address in line for line in found)
        assert found[-1] == "web-0"
    assert "done" in cluster("logs", "job/three")


# A kubelet that dies. It comes last: what went before has filled the node.


def test_containers_outlive_their_kubelet(cluster: Cluster) -> None:
    node = cluster.get("pod", "volumes")["spec"]["nodeName"]
    before = cluster.states("volumes")
    record = cluster.layout.process_records / f"node.{node}"
    old = record.read_text()
    os.kill(int(old.split()[0]), signal.SIGKILL)
    cluster("annotate", "pod", "volumes", "note=new", "--overwrite")
    wait = "until grep -q new /downward/annotations; do sleep 0.1; done; echo seen"
    command = ("exec", "volumes", "-c", "main", "--", "sh", "-c", wait)
    # The kubelet's server is away for a moment.
    while cluster.run(*command).returncode:
        pass
    after = cluster.states("volumes")
    assert {name: (each["containerID"], each["restartCount"]) for name, each in after.items()} == {
        name: (each["containerID"], each["restartCount"]) for name, each in before.items()
    }
    assert record.read_text() != old
    cluster.wait(f"node/{node}", "Ready")


def test_a_pod_outlives_its_sandbox(cluster: Cluster) -> None:
    cluster.wait("pod/own-dns", "Ready")
    uid = cluster.get("pod", "own-dns")["metadata"]["uid"]
    pause = next(pid for pid in processes_of(uid) if b"pause" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(pause, signal.SIGKILL)
    cluster.wait("pod/own-dns", "containerStatuses[0].restartCount=1", "Ready")
    assert "Pod sandbox changed" in cluster.events("own-dns", "SandboxChanged")


def test_a_schedule_makes_jobs(cluster: Cluster) -> None:
    cluster("wait", "cronjob/minutely", "--for=jsonpath={.status.lastSuccessfulTime}", "--timeout=80s")
