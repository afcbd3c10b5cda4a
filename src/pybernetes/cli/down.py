"""`pyb down`: removes a local cluster."""

from __future__ import annotations

import argparse
import sys

from pybernetes.cluster import local
from pybernetes.cluster.state import ClusterError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb down`."""
    parser.add_argument("--name", default="default", help="the cluster's name")
    parser.add_argument("--keep-data", action="store_true", help="leave the data for the next `pyb up`")


async def run(arguments: argparse.Namespace) -> int:
    """0 also when there was nothing to remove."""
    try:
        removed = await local.down(arguments.name, arguments.keep_data)
    except ClusterError as error:
        print(f"pyb down: {error}", file=sys.stderr)
        return 1
    outcome = "is stopped, its data are kept" if arguments.keep_data else "is removed"
    print(f'cluster "{arguments.name}" ' + (outcome if removed else "is not there"))
    return 0
