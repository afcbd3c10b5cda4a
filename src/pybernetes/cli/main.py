"""The `pyb` command: words in, a cluster, a component or an answer out. A sub-command is imported when it is used."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from pybernetes.cluster.running import run_until_signal
from pybernetes.environment.refusal import Refused, reason

# Sub-command -> the module with its `add_arguments(parser)` and `run(arguments)`, and a line of help.
COMMANDS = {
    "up": ("pybernetes.cli.up", "start a local cluster: one control-plane node and six workers"),
    "down": ("pybernetes.cli.down", "stop a local cluster and remove what it made"),
    "status": ("pybernetes.cli.status", "what runs where"),
    "node": ("pybernetes.cli.node", "switch a node of a local cluster off and on"),
    "demo": ("pybernetes.cli.demo", "start a cluster and walk through it"),
    "images": ("pybernetes.cli.images", "build the images that need no registry"),
    "kubectl": ("pybernetes.cli.kubectl", "a kubectl for machines that have none"),
    "apiserver": ("pybernetes.cluster.apiserver_process", "kube-apiserver and its store"),
    "scheduler": ("pybernetes.cluster.scheduler_process", "kube-scheduler"),
    "controller-manager": ("pybernetes.cluster.controller_manager_process", "kube-controller-manager"),
    "cloud-controller-manager": ("pybernetes.cluster.cloud_process", "cloud-controller-manager"),
    "kubelet": ("pybernetes.cluster.kubelet_process", "kubelet"),
    "proxy": ("pybernetes.cluster.proxy_process", "kube-proxy"),
    "dns": ("pybernetes.cluster.dns_process", "cluster DNS"),
}
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _Parser(prog="pyb", description="Kubernetes, written in Python.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), "")
    module = _imported(COMMANDS[chosen][0]) if chosen in COMMANDS else None
    for name, (_module, help_) in COMMANDS.items():
        own = commands.add_parser(name, help=help_, add_help=name != "kubectl", allow_abbrev=False)
        if name == chosen and module is not None:
            module.add_arguments(own)
            parser.is_component = own.is_component = module.__name__.startswith("pybernetes.cluster.")
    if chosen == "kubectl" and module is not None:
        # kubectl's own flags are its own business.
        return int(module.run_words(words[words.index("kubectl") + 1 :]))
    arguments = parser.parse_args(words)
    assert module is not None
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        # A component ends well by a signal; what was to be done at once is not done then.
        once = module.__name__.startswith("pybernetes.cli.")
        interrupted = INTERRUPTED if once else 0
        return run_until_signal(lambda: module.run(arguments), interrupted, second_ends=not once)
    except (Refused, OSError) as error:
        # What people can set right; anything else is our fault and keeps its traceback.
        print(f"pyb {chosen}: {reason(error)}", file=sys.stderr)
        return 1


def _imported(name: str) -> ModuleType:
    """The module of a sub-command. Importing is most of what a start takes: two things that only cost are left out."""
    gc.disable()
    # aiohttp, when imported, reads all certificates that the machine trusts, twice. We always say whom to trust: who
    # would forget it trusts nobody.
    given = {variable: os.environ.get(variable) for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    os.environ.update(dict.fromkeys(given, os.devnull))
    try:
        return importlib.import_module(name)
    finally:
        for variable, value in given.items():
            del os.environ[variable]
            if value is not None:
                os.environ[variable] = value
        gc.enable()


class _Parser(argparse.ArgumentParser):
    """Bad flags end with 1, as upstream's commands do; a component says in upstream's words what is wrong."""

    is_component = False

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"Error: {_of_component(message)}\n" if self.is_component else f"{self.prog}: {message}\n")


# What argparse says -> what upstream's parser says.
_WORDS = (
    (re.compile(r"unrecognized arguments: (-[^\s=]+).*", re.DOTALL), r"unknown flag: \1"),
    (re.compile(r"unrecognized arguments: (\S+).*", re.DOTALL), r'unknown command "\1"'),
    (re.compile(r"argument (--[\w-]+): expected one argument"), r"flag needs an argument: \1"),
    (re.compile(r'argument (--[\w-]+): ("[^"]*"): (.*)', re.DOTALL), r'invalid argument \2 for "\1" flag: \3'),
)


def _of_component(message: str) -> str:
    for pattern, words in _WORDS:
        if found := pattern.fullmatch(message):
            return found.expand(words)
    return message


if __name__ == "__main__":
    sys.exit(main())
