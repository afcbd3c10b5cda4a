"""Pods decided on per second, without an API server: filters, scores, assumption. `python benchmarks/scheduler.py`.

As upstream's SchedulingBasic: nodes of 4 CPU, 32 GiB, 110 pods; pods that ask for 100m and 500 MB. A second run has the
pods belong to a ReplicaSet, so that the default spreading takes part; a third spreads them over zones as they demand.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.scheduler.builders import cache_of, make_node, make_pod

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.apps_v1 import ReplicaSet
from pybernetes.scheduler.decide.place import Placement, place
from pybernetes.scheduler.decide.plugin import Case
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

REQUESTS = {"cpu": "100m", "memory": "500M"}
LABELS = {"app": "web"}
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}
ZONES = {
    "maxSkew": 1,
    "topologyKey": "topology.kubernetes.io/zone",
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": LABELS},
}
ANTI_AFFINITY = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"color": "green"}}}
        ]
    }
}
KINDS = {
    "basic": {},
    "of a ReplicaSet": {"labels": LABELS, "ownerReferences": [OWNER]},
    "zone spread": {"labels": LABELS, "topologySpreadConstraints": [ZONES]},
    "anti-affinity": {"labels": {"color": "green"}, "affinity": ANTI_AFFINITY},
}


def measured(nodes: int, pods: int, spec: dict[str, object]) -> float:
    """Pods per second, their reading included."""
    snapshot, chance = Snapshot(), random.Random(1)
    for number in range(nodes):
        labels = {"topology.kubernetes.io/zone": f"zone-{number % 3}"}
        snapshot.set_node(make_node(f"node-{number}", {"memory": "32Gi"}, labels=labels))
    replica_set = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"matchLabels": LABELS}}}
    facts = Facts(replica_sets=cache_of(from_builtins(replica_set, ReplicaSet)))
    made = [make_pod(f"pod-{number}", REQUESTS, **spec) for number in range(pods)]
    start, at = time.perf_counter(), 0
    for pod in made:
        info = PodInfo(pod)
        outcome = place(Case(info, snapshot, facts), at)
        assert isinstance(outcome, Placement), outcome.message()
        at += outcome.evaluated
        snapshot.assume(info, chance.choice(outcome.nodes))
    return pods / (time.perf_counter() - start)


def main() -> None:
    for kind, spec in KINDS.items():
        for nodes in (100, 1000, 5000):
            pods = 90 if kind == "anti-affinity" and nodes == 100 else 1000
            print(f"{kind:16} {nodes:5} nodes {measured(nodes, pods, dict(spec)):7,.0f} pods/s", flush=True)


if __name__ == "__main__":
    main()
