"""The order of the walkthrough's steps, and how they are run one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import ClusterSpec
from pybernetes.walkthrough import steps
from pybernetes.walkthrough.tools import remove_node, tools
from pybernetes.walkthrough.updates import rolling_update
from pybernetes.walkthrough.walk import Place, StepFailed, Walk

STEPS: tuple[Callable[[Walk], None], ...] = (*steps.ALL, rolling_update, tools, remove_node)


def place_of(spec: ClusterSpec, examples: Path) -> Place:
    """Where a local cluster's walkthrough happens."""
    layout = Layout(spec.name)
    return Place(
        cluster=spec.name,
        kubeconfig=layout.kubeconfig("admin"),
        examples=examples,
        host_addresses={node.name: node.host_address for node in spec.nodes},
        engines={node.name: layout.node(node.name).containerd_socket for node in spec.nodes},
        logs=layout.logs,
    )


def run(walk: Walk) -> None:
    """All steps. Raises StepFailed with the step's name in front."""
    for number, step in enumerate(STEPS, 1):
        title = (step.__doc__ or step.__name__).strip()
        walk.say(f"\n=== {number}. {title}")
        try:
            step(walk)
        except StepFailed as failure:
            raise StepFailed(f"step {number} ({step.__name__}): {failure}") from failure
