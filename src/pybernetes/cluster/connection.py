"""How a component process reaches the API server: by a kubeconfig, or as a pod by its service account."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pybernetes.client import Client, ClientConfig
from pybernetes.client.http import HttpTransport
from pybernetes.client.kubeconfig import Kubeconfig, in_cluster_config


def add_kubeconfig(parser: argparse.ArgumentParser) -> None:
    """The flag that all components have."""
    parser.add_argument("--kubeconfig", type=Path, help="file with the way to the API server; inside a pod not needed")


def read_config(kubeconfig: Path | None) -> ClientConfig:
    """What a kubeconfig says, or what a pod is given. Raises ConfigError."""
    if kubeconfig is None:
        return in_cluster_config(os.environ)
    return Kubeconfig.read([kubeconfig]).client_config()


@asynccontextmanager
async def connected(kubeconfig: Path | None, component: str) -> AsyncIterator[Client]:
    """A client under the component's name for as long as the context is open."""
    client = Client(HttpTransport(read_config(kubeconfig)), user_agent=component)
    try:
        yield client
    finally:
        await client.close()
