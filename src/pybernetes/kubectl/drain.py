"""`kubectl drain`: cordons a node and evicts its pods, as far as disruption budgets let it.

`sorted_out` decides which pods go, which stay and what stands in the way; the rest carries it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pybernetes.api.status import StatusError
from pybernetes.client import Unreachable
from pybernetes.kubectl import watching
from pybernetes.kubectl.apply import dry_run_note
from pybernetes.kubectl.failures import CommandError
from pybernetes.kubectl.nodes import chosen_nodes, set_schedulable
from pybernetes.kubectl.resources import Resource, built_in
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (
    Flag("selector", "l"),
    Flag("pod-selector"),
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("grace-period", default="-1"),
    Flag("timeout", default="0"),
    Flag("chunk-size", default="500"),
    Flag("skip-wait-for-delete-timeout", default="0"),
    switch("force"),
    switch("ignore-daemonsets"),
    switch("delete-emptydir-data"),
    switch("disable-eviction"),
)
RETRY_SECONDS = 5
_MIRROR = "kubernetes.io/config.mirror"
_DAEMON_SETS = (
    "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
    "ignoring DaemonSet-managed Pods",
)
_LOCAL_STORAGE = ("cannot delete Pods with local storage (use --delete-emptydir-data to override)", "")
_UNMANAGED = (
    "cannot delete cannot delete Pods that declare no controller (use --force to override)",
    "deleting Pods that declare no controller",
)


@dataclass
class Plan:
    """Pods to evict, why not (text -> pods), and warnings (text -> pods)."""

    evicted: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)


def sorted_out(pods: Iterable[dict[str, Any]], words: Words, daemon_sets: frozenset[str]) -> Plan:
    """What to do with each pod of a node; `daemon_sets` are the `namespace/name` of those that exist."""
    plan = Plan()
    for pod in pods:
        _place(plan, pod, words, daemon_sets)
    return plan


def _place(plan: Plan, pod: dict[str, Any], words: Words, daemon_sets: frozenset[str]) -> None:
    metadata = pod["metadata"]
    shown = f"{metadata['namespace']}/{metadata['name']}"
    done = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if _MIRROR in (metadata.get("annotations") or {}):
        return
    owner = _controller(pod)
    if (
        owner
        and owner["kind"] == "DaemonSet"
        and not done
        and f"{metadata['namespace']}/{owner['name']}" in daemon_sets
    ):
        if words.on("ignore-daemonsets"):
            plan.warnings.setdefault(_DAEMON_SETS[1], []).append(shown)
        else:
            plan.errors.setdefault(_DAEMON_SETS[0], []).append(shown)
        return
    has_local = any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())
    if has_local and not done and not words.on("delete-emptydir-data"):
        plan.errors.setdefault(_LOCAL_STORAGE[0], []).append(shown)
        return
    if owner is None and not done:
        if not words.on("force"):
            plan.errors.setdefault(_UNMANAGED[0], []).append(shown)
            return
        plan.warnings.setdefault(_UNMANAGED[1], []).append(shown)
    plan.evicted.append(pod)


def _controller(pod: Mapping[str, Any]) -> Mapping[str, Any] | None:
    owners: Sequence[Mapping[str, Any]] = pod["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def listed(reasons: Mapping[str, Sequence[str]], between: str) -> str:
    """`why: a, b; why: c`, in the order of the reasons."""
    return between.join(f"{why}: {', '.join(reasons[why])}" for why in sorted(reasons))


class Blocked(Exception):
    """A node that cannot be emptied; `problems` says why, a line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


async def run(session: Session, words: Words) -> int:
    """0 when every node is empty."""
    names = await chosen_nodes(session, words, "drain", list(words.arguments))
    for name in names:
        await set_schedulable(session, words, name, False)
    for position, name in enumerate(names):
        try:
            await _drain(session, words, name)
        except Blocked as blocked:
            raise CommandError(refusal(name, blocked.problems, names[position:])) from blocked
        session.print(f"node/{name} drained{dry_run_note(words)}")
    return 0


def refusal(node: str, problems: Sequence[str], pending: Sequence[str]) -> str:
    """Why a node was not drained, and which nodes are still to be."""
    why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    lines = [f'error: unable to drain node "{node}" due to error: {why}, continuing command...']
    lines += ["There are pending nodes to be drained:", *(f" {name}" for name in pending), *problems]
    return "\n".join(lines)


async def _drain(session: Session, words: Words, node: str) -> None:
    query = watching.selecting("", words.text("pod-selector"), f"spec.nodeName={node}")
    pods = (await session.request("GET", _pods().path(), query)).get("items") or []
    plan = sorted_out(pods, words, await _daemon_sets(session))
    if plan.errors:
        raise Blocked([f"{why}: {', '.join(plan.errors[why])}" for why in sorted(plan.errors)])
    if plan.warnings:
        session.warn(f"Warning: {listed(plan.warnings, '; ')}")
    problems: list[str] = []
    try:
        async with asyncio.timeout(words.seconds("timeout") or None), asyncio.TaskGroup() as tasks:
            for pod in plan.evicted:
                tasks.create_task(_evict(session, words, pod, problems))
    except TimeoutError:
        problems.append(f"global timeout reached: {words.text('timeout')}")
    if problems:
        raise Blocked(problems)


def _pods() -> Resource:
    found = built_in().find("pods")
    assert found is not None
    return found


async def _daemon_sets(session: Session) -> frozenset[str]:
    items = (await session.request("GET", "/apis/apps/v1/daemonsets")).get("items") or ()
    return frozenset(f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in items)


async def _evict(session: Session, words: Words, pod: Mapping[str, Any], problems: list[str]) -> None:
    """One pod's way; what goes wrong is noted, so that the others go on."""
    metadata = pod["metadata"]
    try:
        await _evict_and_wait(session, words, pod)
    except (StatusError, Unreachable) as failure:
        problems.append(f'error when evicting pods/"{metadata["name"]}" -n "{metadata["namespace"]}": {failure}')


async def _evict_and_wait(session: Session, words: Words, pod: Mapping[str, Any]) -> None:
    """Evicts a pod, again and again while it is refused for now, and waits until it is gone."""
    metadata = pod["metadata"]
    where = metadata["namespace"], metadata["name"]
    session.print(f"evicting pod {'/'.join(where)}{dry_run_note(words)}")
    if words.text("dry-run") == "client":
        return
    while refusal := await _asked(session, words, where):
        session.warn(refusal)
        # Nothing tells when a budget allows it again; upstream asks at this pace.
        await asyncio.sleep(RETRY_SECONDS)
    if words.text("dry-run") == "server":
        return

    def gone(obj: dict[str, Any] | None) -> bool:
        return obj is None or obj["metadata"].get("uid") != metadata.get("uid")

    await watching.until(session, _pods(), where, gone)
    session.print(f"pod/{where[1]} evicted")


async def _asked(session: Session, words: Words, where: tuple[str, str]) -> str:
    """Why the eviction was refused for now; nothing when it was taken, or when the pod goes or is gone already."""
    grace = words.number("grace-period")
    options: dict[str, Any] = {"gracePeriodSeconds": grace} if grace >= 0 else {}
    if words.text("dry-run") == "server":
        options["dryRun"] = ["All"]
    try:
        if words.on("disable-eviction"):
            await session.request("DELETE", _pods().path(*where), body=options)
            return ""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": where[1], "namespace": where[0]},
            "deleteOptions": options,
        }
        await session.request("POST", _pods().path(*where, "eviction"), body=body)
    except StatusError as failure:
        retry = f"(will retry after {RETRY_SECONDS}s)"
        if failure.code == 429:
            why = "Cannot evict pod as it would violate the pod's disruption budget."
            return f'error when evicting pods/"{where[1]}" -n "{where[0]}" {retry}: {why}'
        if _is_of_dying_namespace(failure):
            # Nothing is created there any more, but all that is there will be deleted.
            if await _is_going(session, where):
                return ""
            return f'error when evicting pod "{where[1]}" from terminating namespace "{where[0]}" {retry}: {failure}'
        if failure.code != 404:
            raise
    return ""


def _is_of_dying_namespace(failure: StatusError) -> bool:
    details = failure.status.details
    return details is not None and any(cause.reason == "NamespaceTerminating" for cause in details.causes)


async def _is_going(session: Session, where: tuple[str, str]) -> bool:
    try:
        pod = await session.request("GET", _pods().path(*where))
    except StatusError as failure:
        if failure.code == 404:
            return True
        raise
    return "deletionTimestamp" in pod["metadata"]
