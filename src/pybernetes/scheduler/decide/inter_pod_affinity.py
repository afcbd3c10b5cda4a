"""InterPodAffinity: who wants to be near others or far from them, as the pod says and as pods already there say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pybernetes.scheduler.decide.plugin import MAX_SCORE, Case, Filter, Rejection
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.matches import Condition
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import AffinityTerm, PodInfo
from pybernetes.scheduler.snapshot import Snapshot

NAME = "InterPodAffinity"
_NOT_NEAR = Rejection(NAME, ("node(s) didn't match pod affinity rules",))
_NOT_FAR = Rejection(NAME, ("node(s) didn't match pod anti-affinity rules",), final=False)
_UNWANTED = Rejection(NAME, ("node(s) didn't satisfy existing pods anti-affinity rules",), final=False)
# How much a pod's required affinity to the newcomer counts when nodes are scored.
REQUIRED_WEIGHT = 1

Places = dict[str, set[str]]  # label -> values


class InterPodAffinity(Filter):
    name = NAME

    def __init__(self, near: list[tuple[str, set[str]]], far: Places, unwanted: Places, *, first: bool) -> None:
        self._near = near
        self._far = far
        self._unwanted = unwanted
        # No pod matches, and the pod matches its own terms: the first of a group may go anywhere.
        self._first = first

    def explain(self, node: NodeInfo) -> Rejection | None:
        labels = node.labels
        for key, values in self._near:
            value = labels.get(key)
            if value is None or (value not in values and not self._first):
                return _NOT_NEAR
        if _among(labels, self._far):
            return _NOT_FAR
        return _UNWANTED if _among(labels, self._unwanted) else None

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        for key, values in self._near:
            if self._first:
                nodes = [node for node in nodes if key in node.labels]
            else:
                nodes = [node for node in nodes if node.labels.get(key) in values]
        for places in (self._far, self._unwanted):
            for key, values in places.items():
                nodes = [node for node in nodes if node.labels.get(key) not in values]
        return nodes


def _among(labels: Mapping[str, str], places: Places) -> bool:
    for key, values in places.items():  # noqa: SIM110 - a loop is twice as fast as any() here
        if labels.get(key) in values:
            return True
    return False


def prepare(case: Case) -> Filter | None:
    pod, snapshot, facts = case
    unwanted = _unwanted(pod, snapshot, facts)
    if not pod.affinity and not pod.anti_affinity and not unwanted:
        return None
    near: list[tuple[str, set[str]]] = []
    if pod.affinity:
        # Only pods that all terms mean together count.
        counts = snapshot.count(_all_of(pod.affinity, facts))
        near = [(term.topology_key, _values(snapshot, term.topology_key, counts)) for term in pod.affinity]
    far: Places = {}
    for term in pod.anti_affinity:
        counts = snapshot.count(_condition(term, facts))
        far.setdefault(term.topology_key, set()).update(_values(snapshot, term.topology_key, counts))
    labels = facts.namespace_labels(pod.namespace)
    first = not any(values for _, values in near) and all(
        term.matches(pod.namespace, labels, pod.labels) for term in pod.affinity
    )
    return InterPodAffinity(near, far, unwanted, first=first)


def _unwanted(pod: PodInfo, snapshot: Snapshot, facts: Facts) -> Places:
    """Where pods are that do not want this one near."""
    places: Places = {}
    if not snapshot.with_anti_affinity:
        return places
    labels = facts.namespace_labels(pod.namespace)
    for other, node in snapshot.with_anti_affinity.values():
        for term in other.anti_affinity:
            value = node.labels.get(term.topology_key)
            if value is not None and term.matches(pod.namespace, labels, pod.labels):
                places.setdefault(term.topology_key, set()).add(value)
    return places


def _values(snapshot: Snapshot, key: str, counts: Mapping[str, int]) -> set[str]:
    """The values of a label on the nodes that have a count."""
    nodes = (snapshot.node(name) for name in counts)
    return {node.labels[key] for node in nodes if node is not None and key in node.labels}


def _namespaces(term: AffinityTerm, facts: Facts) -> frozenset[str] | None:
    """The namespaces that a term means; None for all."""
    selector = term.namespace_selector
    if selector.nothing:
        return term.namespaces
    if selector.is_empty:
        return None
    chosen = (item.metadata.name or "" for item in facts.namespaces.list() if selector.matches(item.metadata.labels))
    return term.namespaces | frozenset(chosen)


def _condition(term: AffinityTerm, facts: Facts) -> Condition:
    return Condition(_namespaces(term, facts), (term.selector,))


def _all_of(terms: Iterable[AffinityTerm], facts: Facts) -> Condition:
    namespaces: frozenset[str] | None = None
    for term in terms:
        more = _namespaces(term, facts)
        if more is not None:
            namespaces = more if namespaces is None else namespaces & more
    return Condition(namespaces, tuple(term.selector for term in terms))


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """Preferences of the pod, and of the pods there towards it, weighted, by domain."""
    pod, snapshot, facts = case
    weights: dict[tuple[str, str], int] = {}
    for sign, terms in ((1, pod.preferred_affinity), (-1, pod.preferred_anti_affinity)):
        for term in terms:
            _add_own(weights, snapshot, term, snapshot.count(_condition(term, facts)), sign)
    if snapshot.with_affinity:
        _add_others(weights, pod, snapshot, facts)
    if not weights:
        return None
    by_key: dict[str, dict[str, int]] = {}
    for (key, value), weight in weights.items():
        by_key.setdefault(key, {})[value] = weight
    sums = [0] * len(nodes)
    for key, values in by_key.items():
        sums = [have + values.get(node.labels.get(key, ""), 0) for have, node in zip(sums, nodes, strict=True)]
    lowest, highest = min(sums), max(sums)
    if lowest == highest:
        return None
    return [int(MAX_SCORE * ((total - lowest) / (highest - lowest))) for total in sums]


def _add_own(
    weights: dict[tuple[str, str], int], snapshot: Snapshot, term: AffinityTerm, counts: Mapping[str, int], sign: int
) -> None:
    key = term.topology_key
    for name, count in counts.items():
        node = snapshot.node(name)
        if node is not None and key in node.labels:
            place = key, node.labels[key]
            weights[place] = weights.get(place, 0) + sign * term.weight * count


def _add_others(weights: dict[tuple[str, str], int], pod: PodInfo, snapshot: Snapshot, facts: Facts) -> None:
    labels = facts.namespace_labels(pod.namespace)
    for other, node in snapshot.with_affinity.values():
        wishes = [(REQUIRED_WEIGHT, term) for term in other.affinity]
        wishes += [(term.weight, term) for term in other.preferred_affinity]
        wishes += [(-term.weight, term) for term in other.preferred_anti_affinity]
        for weight, term in wishes:
            value = node.labels.get(term.topology_key)
            if value is not None and term.matches(pod.namespace, labels, pod.labels):
                place = term.topology_key, value
                weights[place] = weights.get(place, 0) + weight
