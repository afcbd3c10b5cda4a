"""`pyb demo`: starts a cluster and walks through what Kubernetes does, for all to see; the cluster is left running."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from pybernetes.cli.up import bring_up
from pybernetes.cluster import system_packages
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import ClusterError, Wishes
from pybernetes.walkthrough.script import place_of
from pybernetes.walkthrough.script import run as walk_through
from pybernetes.walkthrough.walk import StepFailed, Walk

_PACKAGE = Path(__file__).parents[1]
# In a wheel they lie in the package, in a checkout beside it.
_EXAMPLES = next(path for path in (_PACKAGE / "examples", _PACKAGE.parents[1] / "examples") if path.is_dir())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb demo`."""
    parser.add_argument("--name", default="default", help="the cluster's name")
    parser.add_argument("--examples", type=Path, default=_EXAMPLES, help="folder with the walkthrough's files")


async def run(arguments: argparse.Namespace) -> int:
    """0 when every step holds; otherwise 1, with what failed and where the logs are."""
    name = arguments.name
    layout = Layout(name)
    try:
        await system_packages.install_packages(_say)
        spec = await bring_up(name, Wishes(egress=False), _say)
        walk = Walk(place_of(spec, arguments.examples), _say)
        await asyncio.to_thread(walk_through, walk)
    except ClusterError as error:
        print(f"pyb demo: {error}", file=sys.stderr)
        return 1
    except StepFailed as failure:
        print(f"pyb demo: {failure}\nThe logs are in {layout.logs}; `pyb down` removes the cluster.", file=sys.stderr)
        return 1
    option = "" if name == "default" else f" --name {name}"
    _say(
        f"\nEvery step holds. The cluster is left running:\n"
        f"    export KUBECONFIG={layout.kubeconfig('admin')}\n"
        f"    kubectl get pods -A        (or: pyb kubectl get pods -A)\n"
        f"    pyb status{option}\n"
        f"To remove it: pyb down{option}"
    )
    return 0


def _say(text: str) -> None:
    print(text, flush=True)
