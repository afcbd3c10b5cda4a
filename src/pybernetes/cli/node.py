"""`pyb node`: switches a node of a local cluster off, as by its plug, and on again."""

from __future__ import annotations

import argparse
import sys

from pybernetes.cluster import local
from pybernetes.cluster.state import ClusterError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`pyb node stop NAME` and `pyb node start NAME`."""
    parser.add_argument("action", choices=("stop", "start"))
    parser.add_argument("node")
    parser.add_argument("--name", default="default", help="the cluster's name")


async def run(arguments: argparse.Namespace) -> int:
    """0 when the node is as wished."""
    act = local.node_stop if arguments.action == "stop" else local.node_start
    try:
        print(await act(arguments.name, arguments.node, print))
    except ClusterError as error:
        print(f"pyb node: {error}", file=sys.stderr)
        return 1
    return 0
