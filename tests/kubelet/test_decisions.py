"""The kubelet's decisions, as values: what a pod needs next, and what its status says."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.types.core_v1 import (
    ConfigMap,
    ConfigMapEnvSource,
    ConfigMapKeySelector,
    Container,
    ContainerPort,
    ContainerResizePolicy,
    ContainerRestartRule,
    ContainerRestartRuleOnExitCodes,
    ContainerStatus,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    Node,
    NodeStatus,
    Pod,
    PodDNSConfig,
    PodDNSConfigOption,
    PodReadinessGate,
    PodSecurityContext,
    PodSpec,
    PodStatus,
    Probe,
    ResourceFieldSelector,
    ResourceRequirements,
    Service,
    ServicePort,
    ServiceSpec,
    Sysctl,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.kubelet.decide.actions import Kill, Plan, Resize, Start, pod_plan
from pybernetes.kubelet.decide.admission import refusal
from pybernetes.kubelet.decide.backoff import BackOff, following
from pybernetes.kubelet.decide.dns import Dns, hosts_file, parse_resolv_conf, pod_dns
from pybernetes.kubelet.decide.environment import Sources, Unresolvable, environment, expand
from pybernetes.kubelet.decide.fields import Place, resource_field
from pybernetes.kubelet.decide.image_names import default_policy, name_problem
from pybernetes.kubelet.decide.observed import Health, Observed, Trouble, Waiting, is_done
from pybernetes.kubelet.decide.probes import Tally, finding, tallied
from pybernetes.kubelet.decide.qos import linux_resources, qos_class
from pybernetes.kubelet.decide.resizing import STAMP_ANNOTATION, stamp_of
from pybernetes.kubelet.decide.security import container_security
from pybernetes.kubelet.decide.status import pod_status
from pybernetes.kubelet.decide.times import SECOND, api_time, duration, log_time, parse_time
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.runtime import ContainerRecord, Image, LinuxResources, RuntimePod, Sandbox, State
from pybernetes.kubelet.status_writer import status_patch

NOW = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
BOX = Sandbox("box", 0, True, NOW, ("10.244.1.2",))


def pod(*containers: Container, status: PodStatus | None = None, **spec: Any) -> Pod:
    meta = ObjectMeta(name="web", namespace="default", uid="u", generation=1, labels={"b": "2", "a": 'x"y'})
    found = list(containers) or [Container(name="c", image="i")]
    return Pod(metadata=meta, spec=PodSpec(containers=found, **spec), status=status or PodStatus())


def record(name: str = "c", state: State = State.RUNNING, **more: Any) -> ContainerRecord:
    values = {"id": f"id-{name}", "sandbox_id": "box", "attempt": 0, "created_at": NOW, "started_at": NOW, **more}
    if state is State.EXITED:
        values.setdefault("finished_at", NOW)
    return ContainerRecord(name=name, state=state, **values)


def look(pod: Pod, *records: ContainerRecord, boxes: tuple[Sandbox, ...] = (BOX,), **more: Any) -> Observed:
    return Observed(pod, RuntimePod("u", "default", "web", boxes, records), **{"now": NOW, **more})


def test_new_pod_needs_a_sandbox_then_its_containers_then_nothing() -> None:
    assert pod_plan(look(pod(), boxes=())) == Plan(create_sandbox=True)
    assert pod_plan(look(pod())) == Plan(start=(Start("c"),))
    assert pod_plan(look(pod(), record())) == Plan()


def test_dead_sandbox_is_replaced_with_everything_in_it() -> None:
    dead = Sandbox("box", 4, False, NOW)
    assert pod_plan(look(pod(), record(), boxes=(dead,))) == Plan(kill_pod=True, create_sandbox=True, sandbox_attempt=5)


def test_first_crash_restarts_at_once_and_the_second_waits() -> None:
    crashed = record(state=State.EXITED, exit_code=1)
    first = pod_plan(look(pod(), crashed))
    assert (first.start, first.back_offs) == ((Start("c", 1),), {"c": BackOff(10 * SECOND, NOW)})
    second = pod_plan(look(pod(), crashed, back_offs=first.back_offs))
    assert second.start == ()
    assert second.wake_at == NOW + 10 * SECOND
    assert second.waiting["c"].reason == "CrashLoopBackOff"


def test_back_off_doubles_to_five_minutes_and_is_forgotten_after_ten_quiet_ones() -> None:
    back_off = None
    waits = []
    for _ in range(7):
        back_off = following(back_off, NOW, NOW)
        waits.append(back_off.wait // SECOND)
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert following(back_off, NOW + 601 * SECOND, NOW).wait == 10 * SECOND


@pytest.mark.parametrize(
    ("policy", "code", "restarts"),
    [("Always", 0, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_restart_policy_decides(policy: str, code: int, restarts: bool) -> None:
    seen = look(pod(restart_policy=policy), record(state=State.EXITED, exit_code=code))
    assert bool(pod_plan(seen).start) is restarts
    assert is_done(seen) is not restarts


def test_restart_rules_of_a_container_win_over_the_policy() -> None:
    rule = ContainerRestartRule(
        action="Restart", exit_codes=ContainerRestartRuleOnExitCodes(operator="In", values=[42])
    )
    container = Container(name="c", image="i", restart_policy="Never", restart_policy_rules=[rule])
    assert pod_plan(look(pod(container), record(state=State.EXITED, exit_code=42))).start == (Start("c", 1),)
    assert pod_plan(look(pod(container), record(state=State.EXITED, exit_code=1))).start == ()


def test_init_containers_go_first_and_a_sidecar_must_have_started() -> None:
    side = Container(name="side", image="i", restart_policy="Always", startup_probe=Probe())
    once = Container(name="once", image="i")
    whole = pod(init_containers=[side, once])
    assert pod_plan(look(whole)).start == (Start("side"),)
    assert pod_plan(look(whole, record("side"))).start == ()
    started = {"id-side": Health(started=True)}
    assert pod_plan(look(whole, record("side"), health=started)).start == (Start("once"),)
    done = record("once", State.EXITED)
    assert pod_plan(look(whole, record("side"), done, health=started)).start == (Start("c"),)


def test_failed_liveness_and_changed_image_kill() -> None:
    seen = look(pod(), record(), health={"id-c": Health(failure="why")})
    assert pod_plan(seen).kill == (Kill("id-c", "c", "why"),)
    other = record(annotations={"io.kubernetes.container.hash": "other"})
    words = "Container c definition changed, will be restarted"
    assert pod_plan(look(pod(), other)).kill == (Kill("id-c", "c", words),)


def test_a_probe_may_say_how_long_its_container_has_to_end() -> None:
    seen = look(pod(), record(), health={"id-c": Health(failure="why", grace=1)})
    assert pod_plan(seen).kill == (Kill("id-c", "c", "why", grace=1),)


def test_resized_container_follows_its_spec_in_place_or_by_a_restart() -> None:
    small: dict[str, str | int | float] = {"cpu": "100m", "memory": "16Mi"}
    large: dict[str, str | int | float] = {"cpu": "100m", "memory": "32Mi"}
    known = {STAMP_ANNOTATION: stamp_of(ResourceRequirements(requests=small))}
    container = Container(name="c", image="i", resources=ResourceRequirements(requests=large))
    old = ContainerStatus(name="c", resources=ResourceRequirements(requests=small))
    whole = pod(container, status=PodStatus(container_statuses=[old]))
    seen = look(whole, record(annotations=known))
    assert pod_plan(seen) == Plan(resize=(Resize("id-c", "c"),))
    assert pod_status(seen, "n", {}).container_statuses[0].resources == old.resources
    done = look(whole, record(annotations=known), resized={"id-c": stamp_of(container.resources)})
    assert pod_plan(done) == Plan()
    assert pod_status(done, "n", {}).container_statuses[0].resources == container.resources
    container.resize_policy = [ContainerResizePolicy(resource_name="memory", restart_policy="RestartContainer")]
    assert pod_plan(seen).kill == (Kill("id-c", "c", "Container c resize requires restart"),)
    container.resize_policy = [ContainerResizePolicy(resource_name="cpu", restart_policy="RestartContainer")]
    assert pod_plan(seen).kill == ()


def test_patch_takes_away_what_a_condition_no_longer_says() -> None:
    first = pod_status(look(pod()), "n", {})
    second = pod_status(look(pod(status=first), record()), "n", {})
    ready = next(each for each in status_patch(first, second)["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == ("True", None, None)


def test_a_container_that_never_came_is_told_of_as_lost_once_its_pod_has_ended() -> None:
    late = Waiting("DeadlineExceeded", "too late")
    status = pod_status(look(pod(), ending=True, verdict=late), "10.0.0.1", {})
    lost = status.container_statuses[0].state.terminated
    assert lost is not None
    assert (lost.exit_code, lost.reason) == (137, "ContainerStatusUnknown")
    unready = pod(init_containers=[Container(name="once", image="i")])
    status = pod_status(look(unready, ending=True, verdict=late), "10.0.0.1", {})
    waiting = status.container_statuses[0].state.waiting
    assert waiting is not None
    assert waiting.reason == "PodInitializing"


def test_failed_start_is_tried_again_at_its_time() -> None:
    trouble = {"c": Trouble(Waiting("ErrImagePull", "no"), NOW + 5)}
    assert pod_plan(look(pod(), troubles=trouble)) == Plan(wake_at=NOW + 5)
    assert pod_plan(look(pod(), troubles=trouble, now=NOW + 5)).start == (Start("c"),)


def test_old_dead_containers_and_sandboxes_are_removed() -> None:
    dead = [record(id=f"d{number}", attempt=3 - number, state=State.EXITED, sandbox_id="old") for number in range(1, 4)]
    boxes = (BOX, Sandbox("old", 0, False, NOW), Sandbox("empty", 0, False, NOW))
    plan = pod_plan(look(pod(), record(attempt=3), *dead, boxes=boxes))
    assert plan.remove_containers == ("d2", "d3")
    assert plan.remove_sandboxes == ("empty",)


def conditions(status: PodStatus) -> dict[str, str]:
    return {each.type: each.status for each in status.conditions}


def test_status_of_a_running_pod() -> None:
    status = pod_status(look(pod(), record(image="docker.io/library/i", image_id="sha")), "10.0.0.1", {})
    assert (status.phase, status.pod_ip, status.host_ip, status.qos_class) == (
        "Running",
        "10.244.1.2",
        "10.0.0.1",
        "BestEffort",
    )
    assert set(conditions(status).values()) == {"True"}
    assert status.start_time == "2026-01-01T00:00:00Z"
    container = status.container_statuses[0]
    assert (container.ready, container.started, container.container_id) == (True, True, "containerd://id-c")


def test_status_waits_with_the_reason_users_know() -> None:
    status = pod_status(look(pod(), boxes=()), "n", {})
    waiting = status.container_statuses[0].state.waiting
    assert waiting is not None
    assert (status.phase, waiting.reason) == ("Pending", "ContainerCreating")
    back_off = {"c": Waiting("CrashLoopBackOff", "wait")}
    status = pod_status(look(pod(), record(state=State.EXITED, exit_code=1, reason="Error")), "n", back_off)
    container = status.container_statuses[0]
    assert container.state.waiting is not None
    assert container.last_state.terminated is not None
    assert (status.phase, container.state.waiting.reason) == ("Running", "CrashLoopBackOff")
    assert container.last_state.terminated.reason == "Error"


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (1, "Failed")])
def test_phase_of_a_pod_that_has_ended(code: int, phase: str) -> None:
    seen = look(pod(restart_policy="Never"), record(state=State.EXITED, exit_code=code), ending=True)
    status = pod_status(seen, "n", {})
    assert status.phase == phase
    assert conditions(status)["Ready"] == "False"


def test_readiness_gate_keeps_a_pod_from_being_ready() -> None:
    status = pod_status(look(pod(readiness_gates=[PodReadinessGate(condition_type="x")]), record()), "n", {})
    assert conditions(status)["ContainersReady"] == "True"
    ready = next(each for each in status.conditions if each.type == "Ready")
    assert (ready.reason, ready.message) == (
        "ReadinessGatesNotReady",
        'corresponding condition of pod readiness gate "x" does not exist.',
    )


def test_transition_time_stays_while_the_condition_stays() -> None:
    first = pod_status(look(pod(), record()), "n", {})
    later = pod_status(look(pod(status=first), record(), now=NOW + 60 * SECOND), "n", {})
    assert later == first
    assert status_patch(first, later) == {}


def test_patch_names_only_what_has_changed() -> None:
    first = pod_status(look(pod(), boxes=()), "n", {})
    second = pod_status(look(pod(status=first), record(), now=NOW + SECOND), "n", {})
    patch = status_patch(first, second)
    assert patch["phase"] == "Running"
    assert {each["type"] for each in patch["conditions"]} == {"PodReadyToStartContainers", "Ready", "ContainersReady"}
    assert "hostIP" not in patch
    moved = Sandbox("box", 1, True, NOW, ("10.244.1.9",))
    third = pod_status(look(pod(status=second), record(), boxes=(moved,)), "n", {})
    assert status_patch(second, third)["podIPs"] == [{"$patch": "replace"}, {"ip": "10.244.1.9"}]


def test_quality_of_service_and_control_groups() -> None:
    both = {"cpu": "500m", "memory": "64Mi"}
    full = Container(name="c", resources=ResourceRequirements(limits=dict(both), requests=dict(both)))
    part = Container(name="c", resources=ResourceRequirements(requests={"cpu": "250m"}))
    assert qos_class(PodSpec(containers=[full])) == "Guaranteed"
    assert qos_class(PodSpec(containers=[full, part])) == "Burstable"
    assert qos_class(PodSpec(containers=[Container(name="c")])) == "BestEffort"
    assert linux_resources(full.resources, "Guaranteed", 1 << 30) == LinuxResources(
        512, 50_000, 100_000, 64 << 20, -997
    )
    assert linux_resources(part.resources, "Burstable", 1 << 30) == LinuxResources(256, 0, 100_000, 0, 999)
    assert linux_resources(ResourceRequirements(), "BestEffort", 1 << 30) == LinuxResources(2, 0, 100_000, 0, 1000)


def test_environment_resolves_expands_and_links_services() -> None:
    config = ConfigMap(metadata=ObjectMeta(name="m"), data={"k": "v", "OTHER": "o"})
    service = Service(
        metadata=ObjectMeta(name="my-db", namespace="default"),
        spec=ServiceSpec(cluster_ip="10.96.0.7", ports=[ServicePort(port=5432, name="pg")]),
    )
    key = EnvVarSource(config_map_key_ref=ConfigMapKeySelector(name="m", key="k"))
    container = Container(
        name="c",
        env_from=[EnvFromSource(prefix="P_", config_map_ref=ConfigMapEnvSource(name="m"))],
        env=[EnvVar(name="A", value_from=key), EnvVar(name="B", value="$(A)-$(NONE)-$$(A)-$(MY_DB_SERVICE_HOST)")],
    )
    got = environment(pod(container), container, Sources({"m": config}, {}, (service,)))
    assert got["P_OTHER"] == "o"
    assert got["B"] == "v-$(NONE)-$(A)-10.96.0.7"
    assert got["MY_DB_PORT_5432_TCP"] == "tcp://10.96.0.7:5432"
    assert got["MY_DB_SERVICE_PORT_PG"] == "5432"
    unlinked = environment(pod(enable_service_links=False), Container(name="c"), Sources(services=(service,)))
    assert unlinked == {}


def test_missing_references_are_named_unless_optional() -> None:
    selector = ConfigMapKeySelector(name="m", key="k")
    container = Container(name="c", env=[EnvVar(name="A", value_from=EnvVarSource(config_map_key_ref=selector))])
    with pytest.raises(Unresolvable, match='configmap "m" not found'):
        environment(pod(), container, Sources())
    with pytest.raises(Unresolvable, match="couldn't find key k in ConfigMap default/m"):
        environment(pod(), container, Sources({"m": ConfigMap()}))
    selector.optional = True
    assert environment(pod(), container, Sources()) == {}


def test_expansion_and_resource_fields() -> None:
    assert expand("$(A)$(B", {"A": "1"}) == "1$(B"
    container = Container(name="c", resources=ResourceRequirements(limits={"cpu": "1500m"}))
    assert resource_field(container, ResourceFieldSelector(resource="limits.cpu"), Place()) == "2"
    milli = ResourceFieldSelector(resource="limits.cpu", divisor="1m")
    assert resource_field(container, milli, Place()) == "1500"
    memory = ResourceFieldSelector(resource="limits.memory", divisor="1Mi")
    assert resource_field(container, memory, Place(allocatable_memory=1 << 30)) == "1024"


def test_resolv_conf_by_policy(tmp_path: Any) -> None:
    options = KubeletOptions("n", "10.0.0.1", tmp_path)
    host = parse_resolv_conf("# x\nnameserver 1.2.3.4\nsearch corp\noptions timeout:1\n")
    assert host == Dns(("1.2.3.4",), ("corp",), ("timeout:1",))
    searches = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp")
    assert pod_dns(pod(), options, host) == Dns(("10.96.0.10",), searches, ("ndots:5",))
    assert pod_dns(pod(host_network=True), options, host) == host
    assert pod_dns(pod(dns_policy="Default"), options, host) == host
    extra = PodDNSConfig(nameservers=["9.9.9.9"], options=[PodDNSConfigOption(name="ndots", value="2")])
    assert pod_dns(pod(dns_policy="None", dns_config=extra), options, host) == Dns(("9.9.9.9",), (), ("ndots:2",))


def test_hosts_file_names_the_pod(tmp_path: Any) -> None:
    options = KubeletOptions("n", "10.0.0.1", tmp_path)
    assert hosts_file(pod(), ("10.244.1.2",), options).splitlines()[-1] == "10.244.1.2\tweb"
    named = pod(hostname="a", subdomain="sub")
    last = hosts_file(named, ("10.244.1.2",), options).splitlines()[-1]
    assert last == "10.244.1.2\ta.sub.default.svc.cluster.local\ta"


def test_probe_thresholds() -> None:
    probe = Probe(failure_threshold=2, success_threshold=1)
    once = tallied(Tally(), False)
    assert finding(probe, once) is None
    assert finding(probe, tallied(once, False)) is False
    assert finding(probe, tallied(once, True)) is True


def test_image_names_and_policies() -> None:
    assert [default_policy(name) for name in ("a", "a:latest", "a:1", "r:5000/a")] == [
        "Always",
        "Always",
        "IfNotPresent",
        "Always",
    ]
    assert name_problem("docker.io/library/nginx:1.7.9") == ""
    assert name_problem("Nginx").endswith("invalid reference format: repository name must be lowercase")


def test_pod_that_does_not_fit_is_refused() -> None:
    node = Node(status=NodeStatus(allocatable={"cpu": "1", "memory": "1Gi", "pods": "10"}))
    asks = ResourceRequirements(requests={"cpu": "600m"})
    big = pod(Container(name="c", resources=asks))
    assert refusal(big, [], node) is None
    refused = refusal(big, [big], node)
    text = "Pod was rejected: Node didn't have enough resource: cpu, requested: 600, used: 600, capacity: 1000"
    assert refused == Waiting("OutOfcpu", text)


def test_pods_whose_host_ports_are_taken_are_refused() -> None:
    def with_port(address: str, protocol: str = "TCP") -> Pod:
        port = ContainerPort(container_port=80, host_port=8080, host_ip=address, protocol=protocol)
        return pod(Container(name="c", ports=[port]))

    text = "node(s) didn't have free ports for the requested pod ports"
    refused = Waiting("NodePorts", f"Pod was rejected: Predicate NodePorts failed: {text}")
    assert refusal(with_port("127.0.0.1"), [with_port("127.0.0.1")], Node()) == refused
    assert refusal(with_port(""), [with_port("127.0.0.1")], Node()) == refused
    assert refusal(with_port("127.0.0.2"), [with_port("127.0.0.1")], Node()) is None
    assert refusal(with_port("127.0.0.1", "UDP"), [with_port("")], Node()) is None


def test_sysctls_that_are_not_safe_or_not_the_pods_own_are_refused() -> None:
    def why(name: str, **spec: Any) -> str:
        context = PodSecurityContext(sysctls=[Sysctl(name=name, value="1")])
        refused = refusal(pod(security_context=context, **spec), [], Node())
        return f"{refused.reason}: {refused.message}" if refused else ""

    prefix = "SysctlForbidden: Pod was rejected: forbidden sysctl: "
    assert why("kernel.shm_rmid_forced") == ""
    assert why("kernel.msgmax") == f'{prefix}"kernel.msgmax" not allowlisted'
    network = "net.ipv4.tcp_syncookies"
    assert why(network, host_network=True) == f'{prefix}"{network}" not allowed with host net enabled'
    assert why("kernel/shm_rmid_forced", host_ipc=True).endswith("not allowed with host ipc enabled")


def test_a_group_alone_stands_beside_the_user_of_the_image_or_root() -> None:
    asked = pod(security_context=PodSecurityContext(run_as_group=2000))
    users = {}
    for name, image in {"none": Image("i"), "number": Image("i", user=7), "name": Image("i", user_name="joe")}.items():
        found = container_security(asked, asked.spec.containers[0], image)
        users[name] = (found.user, found.user_name, found.group)
    assert users == {"none": (0, "", 2000), "number": (7, "", 2000), "name": (None, "joe", 2000)}


def test_times() -> None:
    assert api_time(NOW) == "2026-01-01T00:00:00Z"
    assert parse_time(log_time(NOW + 7)) == NOW + 7
    assert parse_time("2026-01-01T01:00:00.5+01:00") == NOW + SECOND // 2
    assert [duration(seconds) for seconds in (10, 160, 300, 3700)] == ["10s", "2m40s", "5m0s", "1h1m40s"]
