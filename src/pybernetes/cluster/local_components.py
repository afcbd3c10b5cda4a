"""Which processes make a local cluster: the one place where their command lines are written.

`prepare` lays down what they need (once, before they start), `component_commands` says what runs where and in which
order, `node_ports` follows the NodePorts to be published on the host. Called by `local` and its supervisor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pybernetes.cluster import engine
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.processes import ComponentCommand
from pybernetes.cluster.state import ClusterSpec

# Forked components start here; what they import should be preloaded, since only that is shared between them.
ENTRY = "pybernetes.cli.main:main"
PRELOAD: tuple[str, ...] = ()


async def prepare(spec: ClusterSpec, layout: Layout) -> None:  # noqa: ARG001
    """Certificates, kubeconfigs and folders of a cluster, made unless they are there."""
    layout.pki.mkdir(parents=True, exist_ok=True, mode=0o700)


def component_commands(spec: ClusterSpec, layout: Layout) -> list[ComponentCommand]:
    """Every process of the cluster."""
    return engine_commands(spec, layout)


def engine_commands(spec: ClusterSpec, layout: Layout) -> list[ComponentCommand]:
    """A container engine for each node."""
    return [
        ComponentCommand(
            name=f"containerd.{node.name}",
            node=node.name,
            argv=engine.command(layout.node(node.name)),
            namespace=spec.namespace(node.name),
            stage=0,
            env=engine.ENVIRONMENT,
        )
        for node in spec.nodes
    ]


async def node_ports(spec: ClusterSpec, layout: Layout) -> AsyncIterator[frozenset[int]]:  # noqa: ARG001
    """The NodePorts of all services, anew at every change."""
    yield frozenset()
    await asyncio.Event().wait()
