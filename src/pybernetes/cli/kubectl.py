"""`pyb kubectl`: hands a command line to `pybernetes.kubectl`, with the local cluster's kubeconfig for who has none."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from pybernetes.cluster.layout import Layout
from pybernetes.kubectl.commands import run
from pybernetes.kubectl.session import open_session

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """kubectl reads its own flags."""


def run_words(words: list[str]) -> int:
    """Carries out a command line; the exit code."""
    fallback = Layout("default").kubeconfig("admin")
    try:
        # Flushed here, where a reader that has gone away can still be told apart from an error.
        code = asyncio.run(run(words, lambda read: open_session(read, os.environ, fallback)))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
