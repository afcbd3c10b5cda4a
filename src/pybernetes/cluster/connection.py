"""How a component process reaches the API server: by a kubeconfig, or as a pod by its service account."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pybernetes.client import Client, ClientConfig
from pybernetes.client.errors import ConfigError
from pybernetes.client.http import HttpTransport
from pybernetes.client.kubeconfig import Kubeconfig, in_cluster_config


def add_kubeconfig(parser: argparse.ArgumentParser) -> None:
    """The flag that all components have."""
    parser.add_argument("--kubeconfig", type=Path, help="file with the way to the API server; inside a pod not needed")


def read_config(kubeconfig: Path | None) -> ClientConfig:
    """What a kubeconfig says, or what a pod is given. Raises ConfigError."""
    try:
        if kubeconfig is None:
            return in_cluster_config(os.environ)
        # Among several files a missing one is passed over; the only one must be there.
        kubeconfig.stat()
        return Kubeconfig.read([kubeconfig]).client_config()
    except OSError as error:
        raise ConfigError(f"--kubeconfig {kubeconfig}: {error.strerror}") from error
    except ConfigError as error:
        # YAML's complaints are of several lines.
        words = " ".join(str(error).split())
        raise ConfigError(f"--kubeconfig {kubeconfig or 'is not given'}: {words}") from error


@asynccontextmanager
async def connected(kubeconfig: Path | None, component: str) -> AsyncIterator[Client]:
    """A client under the component's name for as long as the context is open."""
    client = Client(HttpTransport(read_config(kubeconfig)), user_agent=component)
    try:
        yield client
    finally:
        await client.close()
