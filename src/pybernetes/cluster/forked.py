"""Where the fork server's children begin: everything that a component needs is imported once, before they fork."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pybernetes.cluster import apiserver_process, local_control_plane, local_node
from pybernetes.cluster.running import run_until_signal

PROCESSES = {
    "apiserver": apiserver_process,
    "control-plane": local_control_plane,
    "node": local_node,
}


def main(argv: Sequence[str]) -> int:
    """Becomes the component that the first word names; its exit code."""
    name, *flags = argv
    module = PROCESSES[name]
    parser = argparse.ArgumentParser(prog=f"pyb {name}")
    module.add_arguments(parser)
    arguments = parser.parse_args(flags)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stderr
    )
    return run_until_signal(lambda: module.run(arguments))
